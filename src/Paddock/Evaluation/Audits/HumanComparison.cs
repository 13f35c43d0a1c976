namespace Paddock.Evaluation.Audits;

/// <summary>A judge against people, on the pairs that people labelled.</summary>
/// <param name="Agreement">AlpacaEval's human agreement: mean score of each label of the judge against the vote of all people.</param>
/// <param name="People">Each person against the vote of the others: the ceiling that the noise of people sets. Null where no pair has two of their labels.</param>
/// <param name="Bias">Error of the judge's vote against the people's vote; null where the judge has one label a pair.</param>
/// <param name="Percent">Share of the judge's labels that equal the people's vote as first, tie, second.</param>
/// <param name="Kappa">Cohen's kappa of these labels.</param>
/// <param name="Ac1">Gwet's AC1, which does not collapse when one class dominates.</param>
/// <param name="PeopleAlpha">Krippendorff's nominal alpha of the people alone.</param>
/// <param name="JoinedAlpha">The same with the judge's vote as one more coder: lower, and the judge is further from people than they are from each other.</param>
/// <param name="Pairs">Pairs that both labelled.</param>
public sealed record HumanComparisonResult(Interval Agreement, Interval? People, Interval? Bias, Interval Percent, Interval Kappa, Interval Ac1, Interval? PeopleAlpha, Interval JoinedAlpha, int Pairs);

internal static class HumanComparison
{
    // score, labels | people's score, labels | error of the vote, pairs | table of labels | coincidences of people | with the judge
    private const int Table = 6, Alone = Table + Coincidences.Width, Joined = Alone + Coincidences.Width;

    /// <summary>Null where people labelled none of the judge's pairs.</summary>
    public static HumanComparisonResult? Of(PairTable judge, PairTable people, AuditSettings settings)
    {
        PromptSums sums = new(Joined + Coincidences.Width);
        int pairs = 0;
        bool repeats = false, several = false, ties = false;
        foreach (JudgedPair pair in judge.Pairs)
        {
            double[] labels = pair.Known, votes = people.LabelsFor(pair.Prompt, pair.First, pair.Second);
            if (labels.Length == 0 || votes.Length == 0)
                continue;
            pairs++;
            double[] row = sums[pair.Prompt];
            double vote = CrossAnnotation.Vote(votes), own = CrossAnnotation.Vote(labels);
            foreach (double label in labels)
            {
                row[0] += CrossAnnotation.Score(label, vote);
                row[1]++;
                row[Table + Coincidences.Category(label) * Coincidences.Categories + Coincidences.Category(vote)]++;
                ties |= label == 0.5 || vote == 0.5;
            }
            (double score, int count) = CrossAnnotation.LeaveOneOut(votes);
            (row[2], row[3]) = (row[2] + score, row[3] + count);
            several |= count > 0;
            repeats |= labels.Length > 1;
            (row[4], row[5]) = (row[4] + Math.Abs(own - vote), row[5] + 1);
            Coincidences.Add(votes, row.AsSpan(Alone));
            Coincidences.Add([.. votes, own], row.AsSpan(Joined));
        }
        if (pairs == 0)
            return null;
        return new(sums.Share(settings, "agreement"), several ? sums.Share(settings, "people", 2, 3) : null, repeats ? sums.Share(settings, "bias", 4, 5) : null,
            sums.Estimate(s => Agreement.Percent(TableOf(s, ties)), settings, "percent"), sums.Estimate(s => Agreement.CohenKappa(TableOf(s, ties)), settings, "kappa"),
            sums.Estimate(s => Agreement.GwetAc1(TableOf(s, ties)), settings, "ac1"),
            several ? sums.Estimate(s => Coincidences.Alpha(s[Alone..Joined]), settings, "alpha/people") : null,
            sums.Estimate(s => Coincidences.Alpha(s[Joined..]), settings, "alpha/joined"), pairs);
    }

    // without any tie there are two classes, and Gwet's chance agreement counts the classes there are
    private static int[,] TableOf(ReadOnlySpan<double> sums, bool ties)
    {
        int size = ties ? 3 : 2;
        int[,] table = new int[size, size];
        for (int c = 0; c < size; c++)
            for (int k = 0; k < size; k++)
                table[c, k] = (int)sums[Table + (ties ? c : 2 * c) * Coincidences.Categories + (ties ? k : 2 * k)];
        return table;
    }
}
