namespace Paddock.Evaluation.Audits;

/// <summary>Circles in a judge's preferences.</summary>
/// <param name="Cyclic">Share of the triads that are circles: a over b, b over c, c over a. A judge that throws a coin has 1/4.</param>
/// <param name="Triads">Three answers to one prompt, all three pairs judged and none a tie.</param>
public sealed record TransitivityResult(Interval Cyclic, int Triads);

internal static class Transitivity
{
    private sealed class Answers
    {
        public Dictionary<string, int> Ids { get; } = new(StringComparer.Ordinal);

        // by lower and higher id: sum of scores of the higher one, and labels
        public Dictionary<(int, int), (double Sum, int Count)> Edges { get; } = [];

        public int Id(string text)
        {
            if (!Ids.TryGetValue(text, out int id))
                Ids.Add(text, id = Ids.Count);
            return id;
        }
    }

    /// <summary>Null without a triad. The winner of a pair is by the mean of its labels, both orders together.</summary>
    public static TransitivityResult? Of(PairTable table, AuditSettings settings)
    {
        Dictionary<string, Answers> prompts = new(StringComparer.Ordinal);
        foreach (JudgedPair pair in table.Pairs)
        {
            if (pair.First == pair.Second)
                continue;
            if (!prompts.TryGetValue(pair.Prompt, out Answers? answers))
                prompts.Add(pair.Prompt, answers = new());
            int first = answers.Id(pair.First), second = answers.Id(pair.Second);
            foreach (double label in pair.Known)
            {
                (int, int) key = first < second ? (first, second) : (second, first);
                (double sum, int count) = answers.Edges.GetValueOrDefault(key);
                answers.Edges[key] = (sum + (first < second ? label : 1 - label), count + 1);
            }
        }
        PromptSums sums = new(2);
        int triads = 0;
        foreach ((string prompt, Answers answers) in prompts)
        {
            (int cyclic, int all) = Count(answers);
            if (all == 0)
                continue;
            double[] row = sums[prompt];
            (row[0], row[1]) = (cyclic, all);
            triads += all;
        }
        return triads == 0 ? null : new(sums.Share(settings, "transitivity"), triads);
    }

    // for each edge the smaller neighbourhood of its two ends, so that one answer compared with thousands costs little
    private static (int Cyclic, int All) Count(Answers answers)
    {
        Dictionary<int, List<int>> neighbours = [];
        Dictionary<(int, int), bool> higherWins = [];
        foreach (((int low, int high), (double sum, int count)) in answers.Edges)
        {
            if (2 * sum == count)
                continue;
            higherWins.Add((low, high), 2 * sum > count);
            (neighbours.TryGetValue(low, out List<int>? ofLow) ? ofLow : neighbours[low] = []).Add(high);
            (neighbours.TryGetValue(high, out List<int>? ofHigh) ? ofHigh : neighbours[high] = []).Add(low);
        }
        int cyclic = 0, all = 0;
        foreach (((int a, int b), bool bBeatsA) in higherWins)
            foreach (int c in neighbours[a].Count < neighbours[b].Count ? neighbours[a] : neighbours[b])
                if (c > b && higherWins.TryGetValue((b, c), out bool cBeatsB) && higherWins.TryGetValue((a, c), out bool cBeatsA))
                {
                    all++;
                    // a circle runs a < b < c < a or the other way round
                    cyclic += bBeatsA == cBeatsB && cBeatsB != cBeatsA ? 1 : 0;
                }
        return (cyclic, all);
    }
}
