using System.ComponentModel.DataAnnotations;

namespace Paddock.Judging;

/// <summary>What a judge is asked, and in which shape it answers. Each has its prompt and parser in one file below <c>Forms</c>.</summary>
public enum JudgeForm
{
    /// <summary>Which of two answers is better, in one word.</summary>
    Pairwise,

    /// <summary>As pairwise, after some reasoning, which is kept.</summary>
    Reasoned,

    /// <summary>As pairwise with one token; the probability of that token is a soft preference.</summary>
    LogProb,

    /// <summary>A mark from 1 to 10 for each answer alone.</summary>
    Pointwise,

    /// <summary>A ranking of any number of answers.</summary>
    Ranking,

    /// <summary>Which of two answers follows a principle better.</summary>
    Constitution,
}

/// <summary>In which order a judge sees two answers.</summary>
public enum JudgeOrder
{
    /// <summary>Drawn for each pair from the seed; swapping the answers of a pair shows the judge the same prompt.</summary>
    Seeded,

    /// <summary>Both orders, two calls; the mean counts.</summary>
    Both,

    /// <summary>As they come: position bias included, and swapping the answers may not swap the verdict.</summary>
    Given,
}

/// <summary>How the members of a jury become one verdict.</summary>
public enum JuryRule
{
    /// <summary>One member for each pair, drawn from the seed: AlpacaFarm's pool of annotators.</summary>
    Pool,

    /// <summary>The mean of all members: a soft preference.</summary>
    Mean,

    /// <summary>What more members prefer; a tie when neither side has more.</summary>
    Majority,

    /// <summary>The mean by <c>weights</c>.</summary>
    Weighted,
}

/// <summary>Where a judge's model is served.</summary>
public enum JudgeProvider
{
    /// <summary>OpenAI, or with <c>base-url</c> any server that speaks its chat completions.</summary>
    Openai,

    /// <summary>Anthropic's messages.</summary>
    Anthropic,

    /// <summary>A local model on the embedded engine; no network.</summary>
    Embedded,
}

/// <summary>How a reply is read.</summary>
public enum ParserKind
{
    /// <summary>Patterns for the first answer, the second and a tie; the earliest match counts, or the last with <c>last</c>.</summary>
    Regex,

    /// <summary>The value at a path of the reply's JSON, compared with <c>first</c>, <c>second</c> and <c>tie</c>.</summary>
    Json,

    /// <summary>A list of answers from best to worst.</summary>
    Ranking,

    /// <summary>Probabilities of two tokens, <c>first</c> and <c>second</c>.</summary>
    LogProb,

    /// <summary>A number between <c>from</c> and <c>to</c>; with <c>expected</c> its mean under the log-probs.</summary>
    Score,
}

/// <summary>A judge as its YAML file states it; a list of <c>members</c> makes a jury of it.</summary>
/// <param name="Name">Name of the judge in tables and verdicts.</param>
/// <param name="Model">The model that answers; members without one take that of the jury.</param>
/// <param name="Form">Gives prompt and parser where the file has none of its own.</param>
/// <param name="Prompt">Messages with placeholders: <c>{instruction}</c>, <c>{output_1}</c>, <c>{output_2}</c>, <c>{output}</c>, <c>{answers}</c>, <c>{principle}</c>.</param>
/// <param name="Parser">How the reply is read.</param>
/// <param name="Order">Order in which two answers are shown.</param>
/// <param name="Noise">Share of labels flipped at random, before the judge is asked (AlpacaFarm: 0.25 for training labels).</param>
/// <param name="Seed">Seeds order, noise and the draws of a pool.</param>
/// <param name="Principles">Of a constitution; one is drawn for each pair.</param>
/// <param name="EveryPrinciple">Asks under every principle and takes the mean.</param>
/// <param name="Persona">Who the judge is told to be.</param>
/// <param name="Tries">How often it is asked at most until a reply can be read.</param>
/// <param name="Members">Judges of a jury.</param>
/// <param name="Rule">How members become one verdict.</param>
/// <param name="Weights">Of the members, for <c>weighted</c>.</param>
/// <param name="Limits">How fast and how dear.</param>
/// <param name="AlpacaEval">Draws order and noise as AlpacaEval does, from the instruction alone.</param>
public sealed record JudgeSettings(string Name, ModelSettings? Model = null, JudgeForm Form = JudgeForm.Pairwise, IReadOnlyList<TurnSettings>? Prompt = null, ParserSettings? Parser = null,
    JudgeOrder Order = JudgeOrder.Seeded, [Range(0, 0.5)] double Noise = 0, ulong Seed = 0, IReadOnlyList<string>? Principles = null, bool EveryPrinciple = false, string? Persona = null,
    [Range(1, 20)] int Tries = 3, IReadOnlyList<JudgeSettings>? Members = null, JuryRule Rule = JuryRule.Mean, IReadOnlyList<double>? Weights = null, LimitSettings? Limits = null,
    bool AlpacaEval = false);

/// <param name="Role"><c>system</c>, <c>user</c> or <c>assistant</c>.</param>
/// <param name="Content">Text with placeholders.</param>
public sealed record TurnSettings(string Role, string Content);

/// <param name="Name">Model id, as the provider calls it; for the embedded engine a folder, a GGUF file or a built-in name.</param>
/// <param name="BaseUrl">Address of a compatible server, such as <c>http://localhost:8000/v1</c>.</param>
/// <param name="KeyFrom">Environment variable with the key; keys are never written in files.</param>
/// <param name="TopLogProbs">Alternatives of each token that are asked for.</param>
/// <param name="InputPrice">Price of a million input tokens, for models that the price table does not have.</param>
/// <param name="OutputPrice">Price of a million output tokens.</param>
public sealed record ModelSettings(string Name, JudgeProvider Provider = JudgeProvider.Openai, string? BaseUrl = null, string? KeyFrom = null, [Range(0, 2)] double Temperature = 0,
    [Range(0.0, 1.0, MinimumIsExclusive = true)] double TopP = 1, [Range(1, 1 << 20)] int? MaxTokens = null, [Range(0, 20)] int? TopLogProbs = null,
    [Range(0, 1e6)] double? InputPrice = null, [Range(0, 1e6)] double? OutputPrice = null);

/// <param name="First">Regex: pattern when the first answer wins. JSON: value. Ranking: label of the first answer. Log-prob: token.</param>
/// <param name="Second">Likewise for the second answer.</param>
/// <param name="Tie">Likewise for a tie.</param>
/// <param name="Path">JSON: where the value stands, such as <c>verdict.winner</c> or <c>scores[0]</c>.</param>
/// <param name="Pattern">Score: pattern whose first group is the number; without one, the last number of the reply.</param>
/// <param name="Last">Regex: the last match counts, for replies that reason first.</param>
/// <param name="Strict">Regex: more than one match is no verdict. Log-prob: tokens count as they are, without trimming. Both are AlpacaEval's rules.</param>
/// <param name="From">Score: the least.</param>
/// <param name="To">Score: the most.</param>
/// <param name="Expected">Score: the mean under the log-probs of the number's token.</param>
/// <param name="Trace">JSON: path of a text that is kept as the reasoning.</param>
/// <param name="Binary">Log-prob: the likelier token alone, 1 or 2.</param>
/// <param name="Index">Log-prob: which generated token holds the verdict; -1 is the last.</param>
public sealed record ParserSettings(ParserKind Kind, string? First = null, string? Second = null, string? Tie = null, string? Path = null, string? Pattern = null, bool Last = false, bool Strict = false,
    double From = 1, double To = 10, bool Expected = false, string? Trace = null, bool Binary = false, int Index = 0);

/// <param name="InFlight">Calls at a time.</param>
/// <param name="RequestsPerMinute">Learned from the server's headers where it is not given.</param>
/// <param name="TokensPerMinute">Learned likewise.</param>
/// <param name="TrySeconds">Longest time of one try.</param>
/// <param name="CallSeconds">Longest time of one call with all its retries.</param>
/// <param name="Retries">Of a call that failed in a way that may pass.</param>
/// <param name="Cap">Money that may be spent on this judge in all, in the currency of the price table.</param>
public sealed record LimitSettings([Range(1, 1024)] int InFlight = 16, [Range(0.0, 1e9, MinimumIsExclusive = true)] double? RequestsPerMinute = null,
    [Range(0.0, 1e12, MinimumIsExclusive = true)] double? TokensPerMinute = null, [Range(0.0, 3600, MinimumIsExclusive = true)] double TrySeconds = 60,
    [Range(0.0, 86400, MinimumIsExclusive = true)] double CallSeconds = 900, [Range(0, 100)] int Retries = 8, [Range(0, 1e9)] double? Cap = null);
