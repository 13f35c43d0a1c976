using System.Globalization;

namespace Paddock.Reports.Charts;

/// <summary>A linear scale from values to the coordinates of a drawing.</summary>
/// <param name="Low">Value at <paramref name="From"/>.</param>
/// <param name="High">Value at <paramref name="To"/>; above <paramref name="Low"/>.</param>
internal readonly record struct Axis(double Low, double High, double From, double To)
{
    /// <summary>An axis over these values; a single value gets room on both sides.</summary>
    public static Axis Over(double low, double high, double from, double to)
    {
        if (!(high - low > 1e-12 * Math.Max(Math.Abs(low), Math.Abs(high))))
        {
            double room = low == 0 ? 1 : Math.Abs(low) / 10;
            (low, high) = (low - room, high + room);
        }
        return new(low, high, from, to);
    }

    public double At(double value) => From + (value - Low) / (High - Low) * (To - From);

    /// <summary>Coordinate with one decimal, as markup has it.</summary>
    public string Text(double value) => Coordinate(At(value));

    public static string Coordinate(double coordinate) => coordinate.ToString("0.#", CultureInfo.InvariantCulture);

    /// <summary>Round values (1, 2 or 5 times a power of ten) on the axis, about <paramref name="count"/> of them, with their labels.</summary>
    public IReadOnlyList<(double Value, string Label)> Ticks(int count)
    {
        double step = Step((High - Low) / count);
        List<(double, string)> ticks = [];
        for (double k = Math.Ceiling(Low / step); k * step <= High * (1 + 1e-12) + 1e-300 && ticks.Count < 4 * count; k++)
            ticks.Add((k * step, Label(k * step, step)));
        return ticks;
    }

    private static double Step(double rough)
    {
        double power = Math.Pow(10, Math.Floor(Math.Log10(rough))), digit = rough / power;
        return power * (digit < 1.5 ? 1 : digit < 3.5 ? 2 : digit < 7.5 ? 5 : 10);
    }

    private static string Label(double value, double step)
    {
        if (Math.Abs(value) < step / 2)
            return "0";
        int decimals = (int)Math.Max(0, -Math.Floor(Math.Log10(step) + 1e-9));
        return decimals > 3 || Math.Abs(value) >= 1e5
            ? value.ToString("0.##e0", CultureInfo.InvariantCulture)
            : value.ToString("F" + decimals, CultureInfo.InvariantCulture);
    }
}
