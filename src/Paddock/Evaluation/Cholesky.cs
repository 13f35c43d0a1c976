namespace Paddock.Evaluation;

/// <summary>Small dense symmetric positive definite systems [n, n] by Cholesky's factor; for fits of a few to a few hundred parameters.</summary>
internal static class Cholesky
{
    /// <summary>The lower factor L of a = L L', or null where <paramref name="a"/> is not positive definite to rounding.</summary>
    public static double[,]? Factor(double[,] a)
    {
        int n = a.GetLength(0);
        double[,] lower = new double[n, n];
        for (int j = 0; j < n; j++)
        {
            double pivot = a[j, j];
            for (int k = 0; k < j; k++)
                pivot -= lower[j, k] * lower[j, k];
            if (!(pivot > 1e-14 * Math.Abs(a[j, j])))
                return null;
            double root = lower[j, j] = Math.Sqrt(pivot);
            for (int i = j + 1; i < n; i++)
            {
                double sum = a[i, j];
                for (int k = 0; k < j; k++)
                    sum -= lower[i, k] * lower[j, k];
                lower[i, j] = sum / root;
            }
        }
        return lower;
    }

    /// <summary>x with L L' x = b, in place of b.</summary>
    public static void Solve(double[,] lower, Span<double> b)
    {
        int n = b.Length;
        for (int i = 0; i < n; i++)
        {
            for (int k = 0; k < i; k++)
                b[i] -= lower[i, k] * b[k];
            b[i] /= lower[i, i];
        }
        for (int i = n - 1; i >= 0; i--)
        {
            for (int k = i + 1; k < n; k++)
                b[i] -= lower[k, i] * b[k];
            b[i] /= lower[i, i];
        }
    }

    /// <summary>Inverse of L L'.</summary>
    public static double[,] Inverse(double[,] lower)
    {
        int n = lower.GetLength(0);
        double[,] inverse = new double[n, n];
        double[] column = new double[n];
        for (int j = 0; j < n; j++)
        {
            Array.Clear(column);
            column[j] = 1;
            Solve(lower, column);
            for (int i = 0; i < n; i++)
                inverse[i, j] = column[i];
        }
        return inverse;
    }

    /// <summary>a m a' for symmetric a, the shape of every sandwich variance.</summary>
    public static double[,] Sandwich(double[,] a, double[,] meat) => Product(Product(a, meat), a);

    private static double[,] Product(double[,] a, double[,] b)
    {
        int n = a.GetLength(0);
        double[,] product = new double[n, n];
        for (int i = 0; i < n; i++)
            for (int k = 0; k < n; k++)
                for (int j = 0; j < n; j++)
                    product[i, j] += a[i, k] * b[k, j];
        return product;
    }
}
