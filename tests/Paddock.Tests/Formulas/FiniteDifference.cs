namespace Paddock.Tests.Formulas;

internal static class FiniteDifference
{
    /// <summary>Central difference of <paramref name="f"/> with respect to entry <paramref name="i"/>, step 1e-6.</summary>
    public static double Of(double[] at, int i, Func<double[], double> f)
    {
        const double Step = 1e-6;
        double[] up = [.. at], down = [.. at];
        up[i] += Step;
        down[i] -= Step;
        return (f(up) - f(down)) / (up[i] - down[i]);
    }
}
