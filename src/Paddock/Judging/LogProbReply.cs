using System.Globalization;

namespace Paddock.Judging;

/// <summary>Verdicts from the log-probs of a reply.</summary>
internal static class LogProbReply
{
    /// <summary>
    /// 2 - p, p the probability of the first token among the two (AlpacaEval's <c>logprob_parser</c>): a token outside the returned alternatives
    /// has probability 0; when both are outside there is no verdict.
    /// </summary>
    public static ParsedReply Preference(IReadOnlyList<TokenLogProb>? tokens, ParserSettings settings)
    {
        if (tokens is not { Count: > 0 })
            return new(null, "the server returned no log-probs");
        int index = settings.Index < 0 ? tokens.Count + settings.Index : settings.Index;
        if (index < 0 || index >= tokens.Count)
            return new(null, string.Create(CultureInfo.InvariantCulture, $"there is no token {settings.Index} in a reply of {tokens.Count}"));
        double first = LogOf(tokens[index], settings.First!, settings.Strict), second = LogOf(tokens[index], settings.Second!, settings.Strict);
        if (double.IsNegativeInfinity(first) && double.IsNegativeInfinity(second))
            return new(null, $"neither '{settings.First}' nor '{settings.Second}' is among the {tokens[index].Top.Count} likeliest tokens");
        if (settings.Binary)
            return new(first > second ? 1 : 2);
        double most = Math.Max(first, second), sum = most + Math.Log(Math.Exp(first - most) + Math.Exp(second - most));
        return new(2 - Math.Exp(first - sum));
    }

    /// <summary>Mean of the numbers from..to under the first token whose alternatives hold any; null without one (G-Eval, Liu et al. 2023).</summary>
    public static double? ExpectedScore(IReadOnlyList<TokenLogProb>? tokens, ParserSettings settings)
    {
        foreach (TokenLogProb token in tokens ?? [])
        {
            if (!IsScore(token.Token, settings, out _))
                continue;
            double mass = 0, mean = 0;
            foreach (TokenAlternative alternative in token.Top.Count > 0 ? token.Top : [new(token.Token, token.LogProb)])
                if (IsScore(alternative.Token, settings, out int score))
                {
                    double p = Math.Exp(alternative.LogProb);
                    (mass, mean) = (mass + p, mean + p * score);
                }
            if (mass > 0)
                return mean / mass;
        }
        return null;
    }

    private static bool IsScore(string token, ParserSettings settings, out int score) =>
        int.TryParse(token.AsSpan().Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out score) && score >= settings.From && score <= settings.To;

    // the exact token where there is one; servers differ in whether a blank belongs to it
    private static double LogOf(TokenLogProb token, string wanted, bool strict)
    {
        IEnumerable<TokenAlternative> all = strict || token.Top.Any(t => t.Token == token.Token) ? token.Top : token.Top.Append(new(token.Token, token.LogProb));
        double exact = double.NegativeInfinity, trimmed = double.NegativeInfinity;
        foreach (TokenAlternative alternative in all)
            if (alternative.Token == wanted)
                exact = Math.Max(exact, alternative.LogProb);
            else if (alternative.Token.AsSpan().Trim().SequenceEqual(wanted.AsSpan().Trim()))
                trimmed = Math.Max(trimmed, alternative.LogProb);
        return double.IsNegativeInfinity(exact) && !strict ? trimmed : exact;
    }
}
