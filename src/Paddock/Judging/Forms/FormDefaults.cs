namespace Paddock.Judging.Forms;

/// <summary>What a form brings along where a judge's file gives nothing of its own.</summary>
/// <param name="MaxTokens">Longest reply.</param>
/// <param name="Typical">Tokens that a reply usually has, for forecasts.</param>
/// <param name="TopLogProbs">Alternatives of each token that its parser reads.</param>
internal sealed record FormDefaults(IReadOnlyList<TurnSettings> Prompt, ParserSettings Parser, int MaxTokens, int Typical, int TopLogProbs = 0)
{
    public static FormDefaults Of(JudgeForm form) => form switch
    {
        JudgeForm.Pairwise => PairwiseForm.Defaults,
        JudgeForm.Reasoned => ReasonedForm.Defaults,
        JudgeForm.LogProb => LogProbForm.Defaults,
        JudgeForm.Pointwise => PointwiseForm.Defaults,
        JudgeForm.Ranking => RankingForm.Defaults,
        _ => ConstitutionForm.Defaults,
    };
}
