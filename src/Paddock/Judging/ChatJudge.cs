using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.AI;
using Paddock.Data;
using Paddock.Engine;
using Paddock.Judging.Clients;
using Paddock.Judging.Forms;
using Ai = Microsoft.Extensions.AI;
using ChatMessage = Paddock.Data.ChatMessage;

namespace Paddock.Judging;

/// <summary>A language model that judges in one of the forms. What it sends depends on its settings and the comparison alone.</summary>
public sealed class ChatJudge : IJudge
{
    private readonly JudgeSettings _settings;
    private readonly ModelSettings _model;
    private readonly IChatClient _client;
    private readonly TokenPrice? _price;
    private readonly PromptTemplate _template;
    private readonly ReplyParser _parser;
    private readonly ParserSettings _parserSettings;
    private readonly int _maxTokens, _topLogProbs;

    /// <param name="client">Asks the model; caching, retries and limits are its business.</param>
    /// <param name="price">Of a token; null when it is not known.</param>
    /// <param name="place">What messages call the judge: its file and key.</param>
    public ChatJudge(JudgeSettings settings, ModelSettings model, IChatClient client, TokenPrice? price, string place)
    {
        FormDefaults defaults = FormDefaults.Of(settings.Form);
        (_settings, _model, _client, _price) = (settings, model, client, price);
        _template = PromptTemplate.Compile(WithPersona(settings.Prompt ?? defaults.Prompt, settings.Persona), $"{place}.prompt");
        _parserSettings = settings.Parser ?? defaults.Parser;
        _parser = new ReplyParser(_parserSettings, $"{place}.parser");
        bool readsLogProbs = _parserSettings.Kind == ParserKind.LogProb || _parserSettings.Expected;
        _maxTokens = model.MaxTokens ?? (settings.Parser == null ? defaults.MaxTokens : 512);
        _topLogProbs = model.Provider == JudgeProvider.Anthropic ? 0 : model.TopLogProbs ?? (readsLogProbs ? Math.Max(defaults.TopLogProbs, 5) : 0);
        Check(place);
        Version = VersionOf();
    }

    public string Name => _settings.Name;

    public string Version { get; }

    /// <summary>Longest reply in tokens, and what one usually has.</summary>
    internal int MaxTokens => _maxTokens;

    internal double TypicalTokens => Math.Min(_maxTokens, _settings.Prompt == null ? FormDefaults.Of(_settings.Form).Typical : _maxTokens / 2.0);

    /// <summary>Answers that one prompt holds.</summary>
    internal int AnswersShown => _settings.Form == JudgeForm.Pointwise ? 1 : 2;

    internal int Tries => _settings.Tries;

    internal double Noise => _settings.Noise;

    internal TokenPrice? TokenPrice => _price;

    internal bool IsLocal => _model.Provider == JudgeProvider.Embedded;

    public async Task<JudgeVerdict> JudgeAsync(Comparison comparison, CancellationToken cancellation)
    {
        // an answer ties with itself, for nothing
        if (comparison.First.Text == comparison.Second.Text)
            return JudgeVerdict.Of(1.5, [], "the answers are the same");
        JudgeDraws draws = new(comparison, _settings.Seed, _settings.AlpacaEval);
        // noise is decided before the judge is asked, so a label that it replaces is never paid for (AlpacaFarm)
        if (draws.Noise(_settings.Noise) is { } noise)
            return JudgeVerdict.Of(noise, [], "label noise");
        List<JudgeCall> calls = [];
        List<double> preferences = [];
        foreach (Ask ask in Asks(comparison, draws))
        {
            (JudgeCall call, VerdictState state) = await AskAsync(ask, cancellation);
            calls.Add(call);
            if (call.Value is not { } value)
                return JudgeVerdict.Missing(state, call.Problem!, calls); // half a verdict is none
            preferences.Add(value);
        }
        if (_settings.Form == JudgeForm.Pointwise)
            return JudgeVerdict.Of(preferences[0] > preferences[1] ? 1 : preferences[0] < preferences[1] ? 2 : 1.5, calls);
        return JudgeVerdict.Of(Math.Clamp(preferences.Average(), 1, 2), calls);
    }

    /// <summary>
    /// Ranks any number of answers in one call, shown in a seeded order: 1 the best, equal ranks for ties; null with the call's problem when there
    /// is no ranking. A judge of form <c>ranking</c> alone can.
    /// </summary>
    public async Task<(IReadOnlyList<int>? Ranks, JudgeCall Call)> RankAsync(Prompt prompt, IReadOnlyList<Response> answers, CancellationToken cancellation)
    {
        if (_settings.Form != JudgeForm.Ranking || answers.Count is < 2 or > 26)
            throw new BadInputException($"judge '{Name}' cannot rank {answers.Count} answers; a judge of form ranking ranks 2 to 26");
        int[] order = [.. Enumerable.Range(0, answers.Count)];
        new Engine.Numerics.RandomStream(_settings.Seed, $"judge/ranking/{prompt.Key}").Shuffle<int>(order);
        Dictionary<string, string> values = new() { ["instruction"] = Asked(prompt), ["answers"] = RankingForm.Answers([.. order.Select(i => answers[i].Text)]) };
        (JudgeCall call, _) = await AskAsync(new(_template.Fill(values), string.Join(',', order.Select(i => i + 1)), false), cancellation, answers.Count);
        if (call.Reply == null || RankingReply.Ranks(call.Reply, answers.Count, out _) is not { } ranks)
            return (null, call);
        int[] own = new int[answers.Count];
        for (int i = 0; i < order.Length; i++)
            own[order[i]] = ranks[i];
        return (own, call);
    }

    /// <summary>The prompts of a comparison, in the order they would be sent; for forecasts and tests.</summary>
    public IReadOnlyList<IReadOnlyList<ChatMessage>> Prompts(Comparison comparison) =>
        [.. Asks(comparison, new(comparison, _settings.Seed, _settings.AlpacaEval)).Select(ask => ask.Messages)];

    private readonly record struct Ask(IReadOnlyList<ChatMessage> Messages, string Shown, bool Switched);

    private List<Ask> Asks(Comparison comparison, JudgeDraws draws)
    {
        List<Ask> asks = [];
        Dictionary<string, string> values = new() { ["instruction"] = Asked(comparison.Prompt), ["input"] = "", ["persona"] = _settings.Persona ?? "" };
        if (_settings.Form == JudgeForm.Pointwise)
        {
            foreach ((string shown, Response answer) in new[] { ("1", comparison.First), ("2", comparison.Second) })
            {
                values["output"] = answer.Text;
                asks.Add(new(_template.Fill(values), shown, false));
            }
            return asks;
        }
        bool[] orders = _settings.Order switch
        {
            JudgeOrder.Both => [false, true],
            JudgeOrder.Seeded => [draws.Switched()],
            _ => [false],
        };
        foreach (string? principle in PrinciplesFor(draws))
            foreach (bool switched in orders)
            {
                (string first, string second) = switched ? (comparison.Second.Text, comparison.First.Text) : (comparison.First.Text, comparison.Second.Text);
                (values["output_1"], values["output_2"]) = (first, second);
                if (principle != null)
                    values["principle"] = principle;
                if (_template.Uses("answers"))
                    values["answers"] = RankingForm.Answers([first, second]);
                IReadOnlyList<ChatMessage> messages = _template.Fill(values);
                if (_settings.AlpacaEval) // AlpacaEval trims every message when its prompt is filled
                    messages = [.. messages.Select(m => m with { Content = m.Content.Trim() })];
                asks.Add(new(messages, switched ? "2,1" : "1,2", switched));
            }
        return asks;
    }

    private IEnumerable<string?> PrinciplesFor(JudgeDraws draws)
    {
        if (!_template.Uses("principle"))
            return [null];
        IReadOnlyList<string> principles = _settings.Principles ?? ConstitutionForm.Principles;
        return _settings.EveryPrinciple ? principles : [principles[draws.Choose("principle", principles.Count)]];
    }

    // asks until a reply can be read; a reply that cannot is paid for, counted and kept in the cache under its own number
    private async Task<(JudgeCall Call, VerdictState State)> AskAsync(Ask ask, CancellationToken cancellation, int ranked = 0)
    {
        Ai.ChatMessage[] messages = [.. ask.Messages.Select(m => new Ai.ChatMessage(new ChatRole(m.Role), m.Content))];
        JudgeCall call = new(Name, ask.Shown, ask.Messages, _model.Name, null, null, null, null, null, null, null, null, 0, 0, 0, 0, 0);
        VerdictState state = VerdictState.Failed;
        for (int index = 0; index < _settings.Tries; index++)
        {
            ChatResponse response;
            try
            {
                response = await _client.GetResponseAsync(messages, Options(index), cancellation);
            }
            catch (JudgeCallException e)
            {
                return (call with { Problem = e.Message, Tries = index + 1 }, VerdictState.Failed);
            }
            call = Add(call, response, index);
            state = StateOf(call);
            ParsedReply parsed = state switch
            {
                VerdictState.Refused => new(null, $"the judge declined ({call.Finish})"),
                VerdictState.CutOff when _parserSettings.Kind is not (ParserKind.LogProb or ParserKind.Score or ParserKind.Regex) => new(null, "the reply was cut off at its longest"),
                _ when ranked > 0 => RankingReply.Ranks(call.Reply!, ranked, out string? problem) is null ? new(null, problem) : new(1),
                _ => _parser.Parse(new(call.Reply ?? "", call.LogProbs, call.Trace)),
            };
            if (parsed.Value is { } value)
                return (call with { Value = ask.Switched && _parserSettings.Kind != ParserKind.Score && ranked == 0 ? 3 - value : value, Problem = null, Trace = parsed.Trace }, VerdictState.Judged);
            call = call with { Problem = parsed.Problem, Trace = parsed.Trace };
        }
        return (call, state == VerdictState.Judged ? VerdictState.Unparsed : state);
    }

    private static VerdictState StateOf(JudgeCall call) => call.Finish switch
    {
        "content_filter" or "refusal" => VerdictState.Refused,
        "length" => VerdictState.CutOff,
        _ => VerdictState.Judged,
    };

    private JudgeCall Add(JudgeCall call, ChatResponse response, int index)
    {
        StoredReply reply = StoredReply.Of(response);
        long input = reply.InputTokens, output = reply.OutputTokens;
        return call with
        {
            ServedModel = reply.Model,
            Fingerprint = reply.Fingerprint,
            Reply = reply.Text,
            Trace = reply.Reasoning,
            Finish = reply.Finish,
            LogProbs = reply.LogProbs,
            InputTokens = call.InputTokens + input,
            OutputTokens = call.OutputTokens + output,
            Price = _price == null || call.Price == null ? null : call.Price + _price.Of(input, output),
            Seconds = reply.Seconds,
            Tries = index + 1,
        };
    }

    private ChatOptions Options(int index)
    {
        ChatOptions options = new() { ModelId = _model.Name, Temperature = (float)_model.Temperature, MaxOutputTokens = _maxTokens, AdditionalProperties = [] };
        if (_model.TopP != 1)
            options.TopP = (float)_model.TopP;
        if (_topLogProbs > 0)
            options.AdditionalProperties[ReplyFields.TopLogProbs] = _topLogProbs;
        if (_model.Provider == JudgeProvider.Embedded && Candidates() is { } candidates)
            options.AdditionalProperties[ReplyFields.Candidates] = candidates;
        if (index > 0)
            options.AdditionalProperties[ReplyFields.Sample] = index;
        return options;
    }

    // the embedded engine scores every reply that could count, instead of drawing one
    private string? Candidates() => _parserSettings switch
    {
        { Kind: ParserKind.LogProb } => $"{_parserSettings.First}\n{_parserSettings.Second}",
        { Kind: ParserKind.Score, Expected: true } => string.Join('\n', Enumerable.Range((int)_parserSettings.From, (int)(_parserSettings.To - _parserSettings.From) + 1)),
        _ => null,
    };

    private void Check(string place)
    {
        if (_settings.Form == JudgeForm.Pointwise != _template.Uses("output"))
            throw new BadInputException($"{place}.prompt: {(_settings.Form == JudgeForm.Pointwise ? "a pointwise judge sees one answer: use {output}" : "{output} belongs to form pointwise; a pair is {output_1} and {output_2}")}");
        if (_settings.Form != JudgeForm.Pointwise && !_template.Uses("answers") && !(_template.Uses("output_1") && _template.Uses("output_2")))
            throw new BadInputException($"{place}.prompt: must show both answers: {{output_1}} and {{output_2}}");
        if (_settings.Form == JudgeForm.Pointwise != (_parserSettings.Kind == ParserKind.Score))
            throw new BadInputException($"{place}.parser: kind score and form pointwise belong together");
        if (_settings.Principles is { Count: 0 })
            throw new BadInputException($"{place}.principles: is empty; give at least one, or leave it out");
        if (_parserSettings.Kind == ParserKind.LogProb && _model.Provider == JudgeProvider.Anthropic)
            throw new BadInputException($"{place}.parser: this provider returns no log-probs; use kind regex or json");
        if (_settings.AlpacaEval && _settings.Seed > int.MaxValue)
            throw new BadInputException($"{place}.seed: with alpaca-eval at most {int.MaxValue}");
    }

    private string VersionOf()
    {
        byte[] text = JsonSerializer.SerializeToUtf8Bytes(_settings with { Limits = null, Parser = _parserSettings, Model = _model with { InputPrice = null, OutputPrice = null, KeyFrom = null } }, JudgingJson.Compact.JudgeSettings);
        byte[] prompt = JsonSerializer.SerializeToUtf8Bytes(_settings.Prompt ?? FormDefaults.Of(_settings.Form).Prompt, JudgingJson.Compact.IReadOnlyListTurnSettings);
        return Convert.ToHexStringLower(SHA256.HashData([.. Encoding.UTF8.GetBytes("paddock judge 1\n"), .. text, .. prompt]))[..16];
    }

    private static IReadOnlyList<TurnSettings> WithPersona(IReadOnlyList<TurnSettings> prompt, string? persona) =>
        persona == null || prompt.Count == 0 || prompt.Any(t => t.Content.Contains("{persona}", StringComparison.Ordinal)) ? prompt
        : prompt[0].Role == "system" ? [new("system", "{persona}\n\n" + prompt[0].Content), .. prompt.Skip(1)]
        : [new("system", "{persona}"), .. prompt];

    // a plain instruction as it is; a conversation with its roles
    private static string Asked(Prompt prompt) => prompt.Messages is [{ Role: "user" } only] ? only.Content : string.Join("\n\n", prompt.Messages.Select(m => $"{m.Role}: {m.Content}"));
}
