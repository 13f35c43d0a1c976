namespace Paddock.Engine.Models;

/// <summary>Which experts the tokens of a batch use. A choice is one token with one of its experts; choice r K + k is the k-th best of token r.</summary>
internal unsafe struct ExpertChoices
{
    /// <summary>[rows, E] softmax of the router's scores.</summary>
    public float* Probabilities;

    /// <summary>[rows K] weight of each choice.</summary>
    public float* Weights;

    /// <summary>[rows K] expert of each choice.</summary>
    public int* Experts;

    /// <summary>[rows K] place of each choice when they are ordered by expert, then by token.</summary>
    public int* Places;

    /// <summary>[E + 1] first place of each expert, then the number of choices.</summary>
    public int* Starts;

    public static ExpertChoices Carve(ref Carver carver, ExpertMixture mixture, long rows) => new()
    {
        Probabilities = carver.Take(rows * mixture.Count),
        Weights = carver.Take(rows * mixture.PerToken),
        Experts = carver.TakeInts(rows * mixture.PerToken),
        Places = carver.TakeInts(rows * mixture.PerToken),
        Starts = carver.TakeInts(mixture.Count + 1),
    };
}

/// <summary>Chooses experts from the router's scores. A token's choice depends on its own scores alone; of equal ones the first wins.</summary>
internal static unsafe class ExpertRouting
{
    /// <summary>On entry choices.Probabilities holds the scores; everything else is written.</summary>
    public static void Choose(ExpertMixture mixture, int rows, in ExpertChoices choices)
    {
        (int E, int K) = (mixture.Count, mixture.PerToken);
        new Span<int>(choices.Starts, E + 1).Clear();
        for (int r = 0; r < rows; r++)
        {
            Softmax(new(choices.Probabilities + (long)r * E, E));
            Best(mixture, choices.Probabilities + (long)r * E, choices.Experts + (long)r * K, choices.Weights + (long)r * K);
            for (int k = 0; k < K; k++)
                choices.Starts[choices.Experts[(long)r * K + k] + 1]++;
        }
        for (int e = 0; e < E; e++)
            choices.Starts[e + 1] += choices.Starts[e];
        // each expert's start runs ahead to its end while places are given, and is set back after
        for (long c = 0; c < (long)rows * K; c++)
            choices.Places[c] = choices.Starts[choices.Experts[c]]++;
        for (int e = E; e > 0; e--)
            choices.Starts[e] = choices.Starts[e - 1];
        choices.Starts[0] = 0;
    }

    private static void Softmax(Span<float> scores)
    {
        float largest = float.NegativeInfinity, sum = 0;
        foreach (float score in scores)
            largest = MathF.Max(largest, score);
        foreach (ref float score in scores)
            sum += score = MathF.Exp(score - largest);
        foreach (ref float score in scores)
            score /= sum;
    }

    private static void Best(ExpertMixture mixture, float* probabilities, int* experts, float* weights)
    {
        float sum = 0;
        for (int k = 0; k < mixture.PerToken; k++)
        {
            int best = -1;
            for (int e = 0; e < mixture.Count; e++)
                if (!new ReadOnlySpan<int>(experts, k).Contains(e) && (best < 0 || probabilities[e] > probabilities[best]))
                    best = e;
            (experts[k], weights[k]) = (best, probabilities[best]);
            sum += weights[k];
        }
        for (int k = 0; mixture.Renormalise && k < mixture.PerToken; k++)
            weights[k] /= sum;
    }
}
