namespace Paddock.Evaluation.Audits;

/// <summary>A judge against itself, on pairs it was asked about more than once.</summary>
/// <param name="Variance">AlpacaEval's: mean error of each label against the vote of the judge's other labels on the pair.</param>
/// <param name="OneVersusOne">Mean score of each label against each other one.</param>
/// <param name="Gini">1 - sum p² over the labels of a pair (first, tie, second), mean over pairs: 0 for a judge that always repeats itself.</param>
/// <param name="Percent">Share of pairs of labels that are equal as first, tie, second.</param>
/// <param name="Alpha">Krippendorff's nominal alpha with the repeats as coders.</param>
/// <param name="Pairs">Pairs with at least two labels.</param>
public sealed record SelfConsistencyResult(Interval Variance, Interval OneVersusOne, Interval Gini, Interval Percent, Interval Alpha, int Pairs);

internal static class SelfConsistency
{
    private const int Own = 9;

    /// <summary>Null where no pair has two labels.</summary>
    public static SelfConsistencyResult? Of(PairTable table, AuditSettings settings)
    {
        PromptSums sums = new(Own + Coincidences.Width);
        int pairs = 0;
        foreach (JudgedPair pair in table.Pairs)
        {
            double[] labels = pair.Known;
            if (labels.Length < 2)
                continue;
            pairs++;
            double[] row = sums[pair.Prompt];
            (double rest, int count) = CrossAnnotation.LeaveOneOut(labels);
            (row[0], row[1]) = (row[0] + count - rest, row[1] + count);
            (double one, int compared) = labels.Length <= MostForAllPairs ? CrossAnnotation.OneVersusOne(labels) : CrossAnnotation.OneVersusOne(labels.AsSpan(0, MostForAllPairs));
            (row[2], row[3]) = (row[2] + one, row[3] + compared);
            double squares = 0, same = 0;
            foreach (int n in Coincidences.Count(labels))
            {
                squares += (double)n * n / ((double)labels.Length * labels.Length);
                same += (double)n * (n - 1) / ((double)labels.Length * (labels.Length - 1));
            }
            (row[4], row[5]) = (row[4] + 1 - squares, row[5] + 1);
            (row[6], row[7]) = (row[6] + same, row[7] + 1);
            Coincidences.Add(labels, row.AsSpan(Own));
        }
        return pairs == 0 ? null : new(sums.Share(settings, "variance"), sums.Share(settings, "one-versus-one", 2, 3), sums.Share(settings, "gini", 4, 5), sums.Share(settings, "repeats", 6, 7),
            sums.Estimate(s => Coincidences.Alpha(s[Own..]), settings, "alpha"), pairs);
    }

    // all pairs of labels are quadratic in their number
    private const int MostForAllPairs = 1000;
}
