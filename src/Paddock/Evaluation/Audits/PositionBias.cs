namespace Paddock.Evaluation.Audits;

/// <summary>What the order in which a judge sees two answers does to its verdict.</summary>
/// <param name="FirstWins">Mean score of the answer that was shown first; 1/2 for a judge without a habit.</param>
/// <param name="Primacy"><paramref name="FirstWins"/> - 1/2.</param>
/// <param name="SignTest">Two-sided exact p-value of wins of the answer shown first against the others; ties are left out, and verdicts of one prompt are taken for independent.</param>
/// <param name="Consistency">Share of pairs judged in both orders with the same winner, or a tie both times; null without such pairs.</param>
/// <param name="FlipRate">Share of them whose winner changed with the order.</param>
/// <param name="BothOrders">Score 1/2 for whichever answer a judge of pure habit names: mean over both orders of the score of the answer written second.</param>
/// <param name="Verdicts">Verdicts whose order is known.</param>
/// <param name="Pairs">Pairs judged in both orders; repeats count.</param>
public sealed record PositionResult(Interval FirstWins, double Primacy, double SignTest, Interval? Consistency, Interval? FlipRate, Interval? BothOrders, int Verdicts, int Pairs);

/// <summary>
/// Position bias from verdicts that say which answer was shown first (<see cref="PairVerdict.Shown"/>), or from pairs that stand in both orders in
/// the rows and are taken as shown as they are written.
/// </summary>
internal static class PositionBias
{
    private sealed class Orders
    {
        // score of the answer written second in the row that came first, by whether that answer was shown second
        public List<double> Straight { get; } = [];

        public List<double> Turned { get; } = [];

        public bool IsKnown { get; set; }
    }

    /// <summary>Null where no order is known.</summary>
    public static PositionResult? Of(IEnumerable<PairVerdict> verdicts, AuditSettings settings)
    {
        Dictionary<(string, string, string), Orders> pairs = [];
        foreach (PairVerdict verdict in verdicts)
        {
            if (verdict.First == verdict.Second || (verdict.Score == null && verdict.Shown == null))
                continue;
            bool isTurned = pairs.ContainsKey((verdict.Prompt, verdict.Second, verdict.First));
            (string, string, string) key = isTurned ? (verdict.Prompt, verdict.Second, verdict.First) : (verdict.Prompt, verdict.First, verdict.Second);
            if (!pairs.TryGetValue(key, out Orders? orders))
                pairs.Add(key, orders = new());
            orders.IsKnown |= verdict.Shown != null;
            foreach (ShownVerdict shown in verdict.Shown ?? [new(false, verdict.Score!.Value)])
                (isTurned != shown.Swapped ? orders.Turned : orders.Straight).Add(isTurned ? 1 - shown.Score : shown.Score);
        }

        PromptSums all = new(2), both = new(4);
        int firstWins = 0, secondWins = 0, verdictCount = 0, pairCount = 0;
        foreach (((string prompt, _, _), Orders orders) in pairs)
        {
            int repeats = Math.Min(orders.Straight.Count, orders.Turned.Count);
            if (!orders.IsKnown && repeats == 0)
                continue;
            foreach (double first in orders.Straight.Select(s => 1 - s).Concat(orders.Turned))
            {
                double[] row = all[prompt];
                row[0] += first;
                row[1]++;
                firstWins += first > 0.5 ? 1 : 0;
                secondWins += first < 0.5 ? 1 : 0;
                verdictCount++;
            }
            for (int k = 0; k < repeats; k++)
            {
                int straight = Math.Sign(orders.Straight[k] - 0.5), turned = Math.Sign(orders.Turned[k] - 0.5);
                double[] row = both[prompt];
                row[0] += straight == turned ? 1 : 0;
                row[1]++;
                row[2] += straight * turned < 0 ? 1 : 0;
                row[3] += WinRate.CombineOrders(orders.Straight[k], 1 - orders.Turned[k])!.Value;
                pairCount++;
            }
        }
        if (verdictCount == 0)
            return null;
        Interval wins = all.Share(settings, "position");
        return new(wins, wins.Mean - 0.5, Comparisons.McNemar(firstWins, secondWins).Exact,
            pairCount > 0 ? both.Share(settings, "consistency") : null, pairCount > 0 ? both.Share(settings, "flips", 2) : null,
            pairCount > 0 ? both.Share(settings, "both-orders", 3) : null, verdictCount, pairCount);
    }
}
