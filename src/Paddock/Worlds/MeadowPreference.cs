using Paddock.Engine.Numerics;

namespace Paddock.Worlds;

/// <summary>How a group of annotators prefers one answer to another.</summary>
internal interface IMeadowPreference
{
    /// <summary>The exact mean over annotators, misreads and orders of showing.</summary>
    /// <param name="delta">Features of the first answer minus those of the second.</param>
    double Expected(ReadOnlySpan<double> delta);

    /// <summary>One annotator's one label: 1, 0, or .5 for a tie.</summary>
    double Sample(ReadOnlySpan<double> delta, ref RandomStream stream);
}

/// <summary>The true utility decides; answers of equal utility tie.</summary>
internal sealed class MeadowGoldPreference : IMeadowPreference
{
    // sums of the same weights in another order differ in the last bits
    private const double EqualWithin = 1e-9;

    public double Expected(ReadOnlySpan<double> delta)
    {
        double margin = MeadowWeights.Dot(delta, MeadowWeights.Gold);
        return margin > EqualWithin ? 1 : margin < -EqualWithin ? 0 : .5;
    }

    public double Sample(ReadOnlySpan<double> delta, ref RandomStream stream) => Expected(delta);
}

/// <summary>Raters of equal say: the expectation is their mean, a label is that of one of them.</summary>
internal sealed class MeadowPanel(params IReadOnlyList<MeadowRater> raters) : IMeadowPreference
{
    public double Expected(ReadOnlySpan<double> delta)
    {
        double sum = 0;
        foreach (MeadowRater rater in raters)
            sum += rater.Expected(delta);
        return sum / raters.Count;
    }

    public double Sample(ReadOnlySpan<double> delta, ref RandomStream stream)
    {
        MeadowRater rater = raters[stream.NextInt(raters.Count)];
        bool misread = stream.Chance(rater.Misread), shownFirst = stream.Chance(.5);
        return stream.Chance(rater.Prefers(delta, misread, shownFirst)) ? 1 : 0;
    }
}
