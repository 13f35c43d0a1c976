using Paddock.Engine.Numerics;

namespace Paddock.Studies.Coverage;

/// <summary>What an interval promises.</summary>
public enum CoverageKind
{
    /// <summary>95 %, by a formula.</summary>
    Nominal,

    /// <summary>95 %, by resampling; fewer repetitions, since each costs hundreds of refits.</summary>
    Resampled,

    /// <summary>At least 95 % at all looks together.</summary>
    AnyTime,

    /// <summary>A usual mistake, shown to fail.</summary>
    Naive,
}

/// <param name="Interval">What it is an interval of, and how it was made.</param>
/// <param name="Coverage">Share of repetitions whose interval held the truth.</param>
/// <param name="Error">Standard error of that share.</param>
/// <param name="Width">Mean width of the interval.</param>
/// <param name="Holds">Within 93 to 97 %; at least 93 % for any-time-valid ones; below 93 % for mistakes.</param>
public sealed record CoverageRow(string Interval, CoverageKind Kind, double Truth, int Repetitions, double Coverage, double Error, double Width, bool Holds);

/// <summary>One interval on trial: a repetition draws a sample and says whether the interval made from it held the truth, and how wide it was.</summary>
public sealed record CoverageCase(string Interval, CoverageKind Kind, double Truth, Func<RandomStream, (bool Covers, double Width)> Draw);

/// <summary>Whether intervals hold what they promise, by drawing thousands of samples from a population whose truth is known.</summary>
public static class CoverageStudy
{
    /// <param name="repetitions">Of the intervals by formula.</param>
    /// <param name="resampled">Of those by resampling.</param>
    /// <param name="finished">Told each row as it is done.</param>
    public static IReadOnlyList<CoverageRow> Run(IReadOnlyList<CoverageCase> cases, int repetitions, int resampled, ulong seed, Action<CoverageRow>? finished = null, CancellationToken cancellation = default)
    {
        List<CoverageRow> rows = [];
        foreach (CoverageCase one in cases)
        {
            RandomStream stream = new(seed, $"coverage/{one.Interval}");
            int times = one.Kind == CoverageKind.Resampled ? resampled : repetitions, covered = 0;
            double width = 0;
            for (int i = 0; i < times; i++)
            {
                cancellation.ThrowIfCancellationRequested();
                (bool covers, double wide) = one.Draw(stream.Split((ulong)i));
                covered += covers ? 1 : 0;
                width += wide;
            }
            double share = (double)covered / times;
            CoverageRow row = new(one.Interval, one.Kind, one.Truth, times, share, Math.Sqrt(share * (1 - share) / times), width / times, Holds(one.Kind, share));
            rows.Add(row);
            finished?.Invoke(row);
        }
        return rows;
    }

    internal static bool Holds(CoverageKind kind, double share) => kind switch
    {
        CoverageKind.AnyTime => share >= 0.93,
        CoverageKind.Naive => share < 0.93,
        _ => share is >= 0.93 and <= 0.97,
    };
}
