using System.Globalization;
using Paddock.Evaluation;

namespace Paddock.Reports;

/// <summary>Numbers as the report writes them: the same everywhere, with a point whatever the culture.</summary>
internal static class Show
{
    /// <summary>In place of a number that does not exist.</summary>
    public const string Dash = "–";

    private static readonly string[] Prefixes = ["", " k", " M", " G", " T", " P", " E"];

    /// <summary>A fraction in percent with one decimal: <c>62.1</c>.</summary>
    public static string Percent(double fraction) => double.IsFinite(fraction) ? Fixed(100 * fraction, "0.0") : Dash;

    /// <summary>A fraction in percent with its standard error: <c>62.1 ± 0.9</c>.</summary>
    public static string Percent(Estimate estimate) => WithError(Percent(estimate.Mean), Percent(estimate.Se));

    /// <summary>A difference of fractions in points: <c>+9.1 ± 0.8</c>.</summary>
    public static string Points(Estimate difference) =>
        WithError(double.IsFinite(difference.Mean) ? Fixed(100 * difference.Mean, "+0.0;-0.0;0.0") : Dash, Percent(difference.Se));

    /// <summary>The two-sided 95 % interval of a rate, 1.96 standard errors to either side: <c>60.3 to 63.9</c>.</summary>
    public static string Interval(Estimate rate)
    {
        (double low, double high) = Ends(rate);
        return double.IsFinite(low) ? $"{Percent(low)} to {Percent(high)}" : Dash;
    }

    /// <summary>Ends of the 95 % interval of a rate, kept in [0, 1]; NaN where there is none.</summary>
    public static (double Low, double High) Ends(Estimate rate)
    {
        double half = Gaussian.Z95 * rate.Se;
        return double.IsFinite(rate.Mean - half) ? (Math.Clamp(rate.Mean - half, 0, 1), Math.Clamp(rate.Mean + half, 0, 1)) : (double.NaN, double.NaN);
    }

    /// <summary>A mean in its own unit with its standard error: <c>2.64 ± 0.05</c>.</summary>
    public static string Mean(Estimate estimate)
    {
        string format = Math.Abs(estimate.Mean) >= 100 ? "0.0" : "0.00";
        return double.IsFinite(estimate.Mean) ? WithError(Fixed(estimate.Mean, format), double.IsFinite(estimate.Se) ? Fixed(estimate.Se, format) : Dash) : Dash;
    }

    /// <summary>A whole number with separators: <c>12,345</c>.</summary>
    public static string Count(long count) => count.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>Three digits and a prefix: <c>12.3 k</c>.</summary>
    public static string Tokens(double tokens) => Scaled(tokens);

    /// <summary>Floating-point operations: <c>12.3 TFLOP</c>.</summary>
    public static string Flops(double flops)
    {
        string scaled = Scaled(flops);
        return scaled == Dash ? Dash : scaled.Contains(' ', StringComparison.Ordinal) ? scaled + "FLOP" : scaled + " FLOP";
    }

    /// <summary>Seconds with three digits: <c>0.0345</c>, <c>12.3</c>, <c>1,234</c>.</summary>
    public static string Seconds(double? seconds) => seconds switch
    {
        null => Dash,
        { } s when !double.IsFinite(s) => Dash,
        >= 100 => seconds.Value.ToString("N0", CultureInfo.InvariantCulture),
        { } s => s.ToString("G3", CultureInfo.InvariantCulture) is var text && text.Contains('E', StringComparison.Ordinal) ? "< 0.0001" : text,
    };

    /// <summary>Up to three decimals.</summary>
    public static string Plain(double value) => double.IsFinite(value) ? Fixed(value, "0.###") : Dash;

    private static string Scaled(double value)
    {
        if (!double.IsFinite(value))
            return Dash;
        int prefix = 0;
        // 999.5 would be rounded up to four digits
        while (Math.Abs(value) >= 999.5 && prefix < Prefixes.Length - 1)
        {
            value /= 1000;
            prefix++;
        }
        string format = prefix == 0 ? "0.#" : Math.Abs(value) >= 99.95 ? "0" : Math.Abs(value) >= 9.995 ? "0.0" : "0.00";
        return Fixed(value, format) + Prefixes[prefix];
    }

    private static string WithError(string mean, string error) => mean == Dash ? Dash : error == Dash ? mean : $"{mean} ± {error}";

    private static string Fixed(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
