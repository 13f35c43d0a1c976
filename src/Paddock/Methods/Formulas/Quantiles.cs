namespace Paddock.Methods.Formulas;

internal static class Quantiles
{
    /// <summary>The q-quantile by linear interpolation between order statistics, as numpy and torch have it; sorts <paramref name="values"/>.</summary>
    public static double Linear(double[] values, double q)
    {
        Array.Sort(values);
        double at = q * (values.Length - 1);
        int low = (int)Math.Floor(at), high = Math.Min(low + 1, values.Length - 1);
        return values[low] + (at - low) * (values[high] - values[low]);
    }
}
