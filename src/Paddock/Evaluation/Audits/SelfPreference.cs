namespace Paddock.Evaluation.Audits;

/// <summary>Whether a judge favours answers of its own family more than people do.</summary>
/// <param name="Own">Judge minus people: win rate of the judge's own systems against others.</param>
/// <param name="Others">The same for the second answer of pairs without an own system; null without such pairs.</param>
/// <param name="Excess"><paramref name="Own"/> - <paramref name="Others"/>, or the first alone where there are no others.</param>
/// <param name="Pairs">Pairs of an own system against another that people labelled too.</param>
public sealed record SelfPreferenceResult(Interval Own, Interval? Others, Interval Excess, int Pairs);

internal static class SelfPreference
{
    /// <summary>Null without labelled pairs of an own system against another.</summary>
    public static SelfPreferenceResult? Of(PairTable judge, PairTable people, IReadOnlySet<string> own, AuditSettings settings)
    {
        PromptSums sums = new(4);
        int pairs = 0;
        bool others = false;
        foreach (JudgedPair pair in judge.Pairs)
        {
            double[] labels = pair.Known, votes = people.LabelsFor(pair.Prompt, pair.First, pair.Second);
            if (labels.Length == 0 || votes.Length == 0 || pair.FirstBy == null || pair.SecondBy == null)
                continue;
            bool firstIsOwn = own.Contains(pair.FirstBy), secondIsOwn = own.Contains(pair.SecondBy);
            if (firstIsOwn && secondIsOwn)
                continue;
            double gap = Moments.Mean(labels) - Moments.Mean(votes);
            double[] row = sums[pair.Prompt];
            int at = firstIsOwn || secondIsOwn ? 0 : 2;
            row[at] += firstIsOwn ? -gap : gap;
            row[at + 1]++;
            pairs += at == 0 ? 1 : 0;
            others |= at == 2;
        }
        if (pairs == 0)
            return null;
        Interval ownGap = sums.Estimate(s => s[0] / s[1], settings, "self");
        return others ? new(ownGap, sums.Estimate(s => s[2] / s[3], settings, "self/others"), sums.Estimate(s => s[0] / s[1] - s[2] / s[3], settings, "self/excess"), pairs) : new(ownGap, null, ownGap, pairs);
    }
}
