using static Paddock.Worlds.MeadowFeature;

namespace Paddock.Worlds;

/// <summary>
/// One simulated annotator: prefers by its own weights, misreads now and then (and then sees no correctness at all), and leans towards
/// one position. <c>logit = (weights . (features of a - features of b) +- position) / temperature</c>.
/// </summary>
/// <param name="Misread">Probability of judging by style alone.</param>
/// <param name="Position">Added when the first of the two was shown first, subtracted otherwise.</param>
internal sealed record MeadowRater(string Name, IReadOnlyList<double> Weights, double Temperature, double Misread = 0, double Position = 0)
{
    private readonly double[] _weights = [.. Weights];

    /// <param name="delta">Features of the first answer minus those of the second.</param>
    /// <returns>Probability that the first answer is preferred.</returns>
    public double Prefers(ReadOnlySpan<double> delta, bool misread, bool shownFirst)
    {
        int from = misread ? MeadowWeights.CorrectnessCount : 0;
        double margin = MeadowWeights.Dot(delta[from..], _weights.AsSpan(from));
        double logit = (margin + (shownFirst ? Position : -Position)) / Temperature;
        return 1 / (1 + Math.Exp(-Math.Clamp(logit, -40, 40)));
    }

    /// <summary>The exact mean over misreading and the order of showing.</summary>
    public double Expected(ReadOnlySpan<double> delta)
    {
        if (Position == 0 && Misread == 0)
            return Prefers(delta, false, true);
        double read = Prefers(delta, false, true) + Prefers(delta, false, false);
        double misread = Prefers(delta, true, true) + Prefers(delta, true, false);
        return .5 * ((1 - Misread) * read + Misread * misread);
    }
}

/// <summary>The three groups of simulated annotators.</summary>
internal static class MeadowRaters
{
    private const double HumanTemperature = 1.1, PoolTemperature = .55, JudgeTemperature = .1;

    /// <summary>Sixteen people: weights of their own around gold, and Bradley-Terry noise.</summary>
    public static readonly MeadowRater[] Human =
        [.. MeadowRaterWeights.Human.Select((weights, i) => new MeadowRater($"human/{i}", weights, HumanTemperature))];

    /// <summary>Thirteen simulated language models that differ in care, taste and position bias.</summary>
    public static readonly MeadowRater[] Pool =
    [
        Model("strong_json", 1.0, .08, .015, 0, .9),
        Model("diana_literary", .8, .12, .05, 0, 1.0, (Sentence, .5), (Filler, .3), (Flattery, .2)),
        Model("guideline", 1.0, .1, .01, .1, .9, (Confident, .3)),
        Model("pattern", .9, .15, .02, .1, 1.1, (Commas, .3)),
        Model("joe_lazy", .7, .2, -.05, .5, 1.1, (Commas, .6), (Polite, -.2)),
        Model("mid_1", .7, .2, .03, .3, 1.2, (Flattery, .4), (Confident, .5)),
        Model("mid_2", .8, .2, .02, .2, 1.2, (Confident, .5), (Hedge, -.3)),
        Model("mid_3", .6, .25, .03, .6, 1.3, (Flattery, .5), (Polite, .3)),
        Model("mid_4", .6, .25, .02, -.4, 1.3, (Filler, .2)),
        Model("small_1", .5, .3, .04, .6, 1.4, (Confident, .6), (Commas, .3)),
        Model("small_2", .5, .3, .03, .2, 1.4, (Flattery, .4)),
        Model("small_3", .5, .35, .01, -.6, 1.5, (Polite, .4)),
        Model("small_4", .4, .35, .05, .8, 1.6, (Commas, .5), (Filler, .3)),
    ];

    /// <summary>One judge with little noise and much bias: the contrast to the pool.</summary>
    public static readonly MeadowRater Judge = new("judge", With(MeadowWeights.Discounted(.9), (Length, .06), (Excess, .06), (Confident, .9),
        (Commas, .5), (Filler, .2), (Flattery, .3)), JudgeTemperature);

    private static MeadowRater Model(string name, double correctness, double misread, double length, double position, double temperature,
        params ReadOnlySpan<(MeadowFeature Feature, double Weight)> extras)
    {
        double[] weights = MeadowWeights.Discounted(correctness);
        weights[(int)Length] = length;
        weights[(int)Excess] = MeadowWeights.Gold[(int)Excess] * .3;
        return new($"pool/{name}", With(weights, extras), temperature * PoolTemperature, misread, position);
    }

    private static double[] With(double[] weights, params ReadOnlySpan<(MeadowFeature Feature, double Weight)> extras)
    {
        foreach ((MeadowFeature feature, double weight) in extras)
            weights[(int)feature] += weight;
        return weights;
    }
}
