using System.Globalization;
using System.Text.RegularExpressions;
using Paddock.Engine;

namespace Paddock.Judging;

/// <summary>What a parser reads: the reply and its log-probs.</summary>
public sealed record JudgeReply(string Text, IReadOnlyList<TokenLogProb>? LogProbs = null, string? Reasoning = null);

/// <summary>What was read.</summary>
/// <param name="Value">A preference of 1 to 2 in the order shown, or a score; null with a problem.</param>
/// <param name="Problem">Why nothing could be read.</param>
/// <param name="Trace">Reasoning that the reply holds.</param>
public readonly record struct ParsedReply(double? Value, string? Problem = null, string? Trace = null);

/// <summary>Reads replies by a parser's settings; made once for a judge and checked then. Thread-safe.</summary>
public sealed partial class ReplyParser
{
    private static readonly TimeSpan PatternTime = TimeSpan.FromSeconds(1);

    private readonly ParserSettings _settings;
    private readonly (Regex Pattern, double Value)[] _patterns = [];
    private readonly Regex? _score;

    /// <param name="place">What messages call the parser: its file and key.</param>
    public ReplyParser(ParserSettings settings, string place)
    {
        _settings = settings;
        switch (settings.Kind)
        {
            case ParserKind.Regex:
                _patterns = [.. new (string? Text, string Key, double Value)[] { (settings.First, "first", 1), (settings.Second, "second", 2), (settings.Tie, "tie", 1.5) }
                    .Where(p => p.Text != null).Select(p => (Compile(p.Text!, $"{place}.{p.Key}"), p.Value))];
                Need(settings is { First: not null, Second: not null }, "first and second, the patterns of the two verdicts");
                break;
            case ParserKind.Json:
                Need(settings is { Path: not null, First: not null, Second: not null }, "path, first and second: where the verdict stands, and its two values");
                break;
            case ParserKind.LogProb:
                Need(settings is { First: not null, Second: not null }, "first and second, the tokens of the two verdicts");
                break;
            case ParserKind.Score:
                Need(settings.From < settings.To, "from below to");
                _score = settings.Pattern == null ? Number : Compile(settings.Pattern, $"{place}.pattern");
                break;
        }

        void Need(bool met, string what)
        {
            if (!met)
                throw new BadInputException($"{place}: a parser of kind {settings.Kind.ToString().ToLowerInvariant()} needs {what}");
        }
    }

    public ParsedReply Parse(JudgeReply reply)
    {
        try
        {
            ParsedReply parsed = _settings.Kind switch
            {
                ParserKind.Regex => Matched(reply.Text),
                ParserKind.Json => JsonReply.Parse(reply.Text, _settings),
                ParserKind.Ranking => RankingReply.Parse(reply.Text, _settings.First),
                ParserKind.LogProb => LogProbReply.Preference(reply.LogProbs, _settings),
                _ => Scored(reply),
            };
            return parsed with { Trace = parsed.Trace ?? reply.Reasoning };
        }
        catch (RegexMatchTimeoutException)
        {
            return new(null, "a pattern took too long on this reply");
        }
    }

    // AlpacaEval's regex_parser: the earliest match over all patterns, ties to the first of them, again behind its end
    private ParsedReply Matched(string text)
    {
        double? found = null;
        int count = 0, end = 0, from = 0;
        while (from <= text.Length)
        {
            Match? earliest = null;
            double value = 0;
            foreach ((Regex pattern, double of) in _patterns)
                // cut, not started at an offset, so that ^ means the start of the rest
                if (pattern.Match(text[from..]) is { Success: true } match && (earliest == null || match.Index < earliest.Index))
                    (earliest, value) = (match, of);
            if (earliest == null)
                break;
            count++;
            if (found == null || _settings.Last)
                (found, end) = (value, from + earliest.Index);
            if (!_settings.Last && !_settings.Strict)
                break;
            from += earliest.Index + Math.Max(earliest.Length, 1);
        }
        if (found == null)
            return new(null, "no verdict in the reply");
        if (_settings.Strict && count > 1)
            return new(null, $"{count} verdicts in the reply");
        return new(found, null, _settings.Last && end > 0 ? text[..end].Trim() : null);
    }

    private ParsedReply Scored(JudgeReply reply)
    {
        if (_settings.Expected && LogProbReply.ExpectedScore(reply.LogProbs, _settings) is { } expected)
            return new(expected);
        Match? last = _score!.Matches(reply.Text).LastOrDefault();
        if (last == null)
            return new(null, "no number in the reply");
        string digits = last.Groups.Count > 1 ? last.Groups[1].Value : last.Value;
        if (!double.TryParse(digits, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double score))
            return new(null, $"'{digits}' is no number");
        return score >= _settings.From && score <= _settings.To
            ? new(score, null, last.Index > 0 ? reply.Text[..last.Index].Trim() : null)
            : new(null, string.Create(CultureInfo.InvariantCulture, $"{score} is outside {_settings.From} to {_settings.To}"));
    }

    private static Regex Compile(string pattern, string place)
    {
        try
        {
            return new Regex(pattern, RegexOptions.CultureInvariant, PatternTime);
        }
        catch (ArgumentException e)
        {
            throw new BadInputException($"{place}: not a regular expression: {e.Message}", e);
        }
    }

    [GeneratedRegex(@"-?\d+(?:\.\d+)?", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Number { get; }
}
