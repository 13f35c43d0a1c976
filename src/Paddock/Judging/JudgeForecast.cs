using Microsoft.Extensions.AI;
using Paddock.Data;
using Paddock.Judging.Clients;

namespace Paddock.Judging;

/// <summary>What a number may be at least, probably and at most.</summary>
public sealed record Forecast(double Low, double Expected, double High)
{
    public static Forecast operator +(Forecast a, Forecast b) => new(a.Low + b.Low, a.Expected + b.Expected, a.High + b.High);

    public static Forecast operator *(double factor, Forecast a) => new(factor * a.Low, factor * a.Expected, factor * a.High);
}

/// <summary>Calls, tokens, money and time of judging, before anything is sent.</summary>
/// <param name="Sampled">Comparisons whose prompts were tokenised.</param>
/// <param name="Price">Null when the price of a model is not known.</param>
/// <param name="Currency">Of the price table.</param>
/// <param name="Seconds">With the judge's limits; null for the embedded engine, whose speed depends on this machine.</param>
public sealed record JudgeForecast(string Judge, long Comparisons, int Sampled, Forecast Calls, Forecast InputTokens, Forecast OutputTokens, Forecast? Price, string Currency, Forecast? Seconds)
{
    /// <summary>How many comparisons are tokenised for a forecast.</summary>
    public const int Samples = 20;

    // seconds of a call: to the first token, and tokens a second; what vendors' servers usually take, from a good day to a bad one
    private static readonly (double First, double Rate)[] Pace = [(0.3, 150), (0.8, 60), (3, 20)];

    // tokens by the judge's own tokenizer over those by ours, for English
    private const double TokenizerLow = 0.85, TokenizerHigh = 1.2;

    /// <param name="sample">Some of the comparisons, spread over all of them.</param>
    /// <param name="comparisons">How many there are.</param>
    /// <param name="answerTokens">Tokens to add for each answer shown, when the sample's answers are not written yet; null when they are.</param>
    /// <param name="count">Tokens of a text; null estimates them from its length.</param>
    /// <param name="exact">Whether <paramref name="count"/> is the judge's own tokenizer.</param>
    public static JudgeForecast Of(IJudge judge, IReadOnlyList<Comparison> sample, long comparisons, LimitSettings limits, PriceTable prices, Forecast? answerTokens = null, Func<string, int>? count = null, bool exact = false)
    {
        Work work = WorkOf(judge, sample, answerTokens ?? new(0, 0, 0), count);
        Forecast calls = comparisons * work.Calls, output = comparisons * work.Output, input = comparisons * work.Input;
        if (!exact)
            input = new(TokenizerLow * input.Low, input.Expected, TokenizerHigh * input.High);
        Forecast? price = work.Priced ? comparisons * new Forecast((exact ? 1 : TokenizerLow) * work.InputPrice.Low + work.OutputPrice.Low, work.InputPrice.Expected + work.OutputPrice.Expected,
            (exact ? 1 : TokenizerHigh) * work.InputPrice.High + work.OutputPrice.High) : null;
        Forecast? seconds = work.Remote ? new(Time(0, calls.Low, input.Low, output.Low), Time(1, calls.Expected, input.Expected, output.Expected), Time(2, calls.High, input.High, output.High)) : null;
        return new(judge.Name, comparisons, sample.Count, calls, input, output, price, prices.Currency, seconds);

        double Time(int pace, double n, double inTokens, double outTokens)
        {
            double flow = (n * Pace[pace].First + outTokens / Pace[pace].Rate) / limits.InFlight;
            return Math.Max(flow, 60 * Math.Max(n / (limits.RequestsPerMinute ?? double.PositiveInfinity), (inTokens + outTokens) / (limits.TokensPerMinute ?? double.PositiveInfinity)));
        }
    }

    // of one comparison
    private sealed record Work(Forecast Calls, Forecast Input, Forecast Output, Forecast InputPrice, Forecast OutputPrice, bool Priced, bool Remote)
    {
        public static Work Nothing { get; } = new(new(0, 0, 0), new(0, 0, 0), new(0, 0, 0), new(0, 0, 0), new(0, 0, 0), true, false);

        public Work Add(Work other, double share) => new(Calls + share * other.Calls, Input + share * other.Input, Output + share * other.Output, InputPrice + share * other.InputPrice,
            OutputPrice + share * other.OutputPrice, Priced && other.Priced, Remote || other.Remote);
    }

    private static Work WorkOf(IJudge judge, IReadOnlyList<Comparison> sample, Forecast answer, Func<string, int>? count)
    {
        if (judge is Jury jury)
        {
            double share = (jury.Rule == JuryRule.Pool ? 1.0 / jury.Members.Count : 1) * (1 - 2 * jury.Noise);
            return jury.Members.Aggregate(Work.Nothing, (sum, member) => sum.Add(WorkOf(member, sample, answer, count), share));
        }
        if (judge is not ChatJudge chat)
            return Work.Nothing;
        double[] tokens = new double[sample.Count];
        long asks = 0;
        for (int i = 0; i < tokens.Length; i++)
        {
            IReadOnlyList<IReadOnlyList<Data.ChatMessage>> prompts = chat.Prompts(sample[i]);
            asks += prompts.Count;
            tokens[i] = prompts.Sum(messages => messages.Sum(m => count == null ? (double)TokenEstimate.Likely([new Microsoft.Extensions.AI.ChatMessage(ChatRole.User, m.Content)]) : count(m.Content) + 4));
        }
        double calls = asks / (double)Math.Max(1, tokens.Length), mean = tokens.Length > 0 ? tokens.Average() : 0;
        double error = tokens.Length > 1 ? 1.96 * Math.Sqrt(tokens.Sum(t => (t - mean) * (t - mean)) / (tokens.Length - 1) / tokens.Length) : 0;
        double asked = 1 - 2 * chat.Noise;
        Forecast input = new Forecast(Math.Max(0, mean - error), mean, mean + error) + calls * chat.AnswersShown * answer;
        Forecast output = calls * new Forecast(Math.Min(chat.MaxTokens, Math.Max(1, chat.TypicalTokens / 2.0)), chat.TypicalTokens, chat.MaxTokens);
        // at most, every reply but the last cannot be read and is asked for again
        Forecast all = new(calls, calls, calls * chat.Tries);
        Forecast inputs = asked * new Forecast(input.Low, input.Expected, input.High * chat.Tries), outputs = asked * new Forecast(output.Low, output.Expected, output.High * chat.Tries);
        TokenPrice price = chat.TokenPrice ?? new(0, 0);
        return new(asked * all, inputs, outputs, price.Input / 1e6 * inputs, price.Output / 1e6 * outputs, chat.TokenPrice != null, !chat.IsLocal);
    }
}
