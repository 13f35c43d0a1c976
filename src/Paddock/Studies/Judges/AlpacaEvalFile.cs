using System.Globalization;
using System.Text.RegularExpressions;
using Paddock.Engine;
using Paddock.Judging;
using Paddock.Studies.Recipes;

namespace Paddock.Studies.Judges;

/// <summary>
/// Annotators as AlpacaEval writes them: <c>configs.yaml</c> with one entry an annotator, and prompt templates beside it. Several annotators are a pool. Order,
/// choice and noise are drawn as AlpacaEval draws them. What would need more than a chat model and one pair a prompt is refused by name.
/// </summary>
internal static partial class AlpacaEvalFile
{
    public const string Name = "configs.yaml";

    private const string Start = "<|im_start|>", End = "<|im_end|>";

    // openai_completions' own defaults
    private const double DefaultTemperature = 0.7;
    private const int DefaultMaxTokens = 2048;

    public static bool IsOne(MapNode root) => root.Entries.Count > 0 && root.Entries.All(e => e.Value is MapNode entry && entry.Entries.Any(k => k.Key is "prompt_template" or "fn_completions"));

    public static JudgeSettings Read(MapNode root, string file)
    {
        JudgeSettings[] annotators = [.. root.Entries.Select(e => One(e.Key, (MapNode)e.Value, file, e.Line))];
        string folder = Path.GetFileName(Path.GetDirectoryName(Path.GetFullPath(file))!);
        return annotators.Length == 1 ? annotators[0] : new(folder, Members: annotators, Rule: JuryRule.Pool, AlpacaEval: true);
    }

    private static JudgeSettings One(string name, MapNode node, string file, int line)
    {
        string place = $"{file}:{line}: {name}";
        Map entry = new(node, place);
        if (entry.Text("batch_size") is { } batch && batch != "1")
            throw new BadInputException($"{place}.batch_size: {batch} pairs in one prompt are not supported, because a verdict would depend on the other pairs; write 1");
        Map kwargs = entry.Below("completions_kwargs");
        string model = kwargs.Text("model_name") ?? throw new BadInputException($"{place}.completions_kwargs.model_name: missing; which model judges?");
        string template = entry.Text("prompt_template") ?? throw new BadInputException($"{place}.prompt_template: missing");
        JudgeProvider provider = entry.Text("fn_completions") switch
        {
            "openai_completions" or null => JudgeProvider.Openai,
            "anthropic_completions" => JudgeProvider.Anthropic,
            var other => throw new BadInputException($"{place}.fn_completions: '{other}' is not supported; openai_completions and anthropic_completions are"),
        };
        bool logProbs = kwargs.Text("logprobs") is "true" or "True";
        return new(name, new(model, provider, Temperature: kwargs.Number("temperature") ?? DefaultTemperature, TopP: kwargs.Number("top_p") ?? 1, MaxTokens: (int)(kwargs.Number("max_tokens") ?? DefaultMaxTokens),
                TopLogProbs: logProbs ? (int)(kwargs.Number("top_logprobs") ?? 5) : null),
            Prompt: Prompt(ReadTemplate(template, file, place), place), Parser: Parser(entry, place),
            Order: entry.Text("is_randomize_output_order") is "false" or "False" ? JudgeOrder.Given : JudgeOrder.Seeded, Tries: 1, AlpacaEval: true);
    }

    private static ParserSettings Parser(Map entry, string place)
    {
        Map kwargs = entry.Below("completion_parser_kwargs");
        string parser = entry.Text("fn_completion_parser") ?? throw new BadInputException($"{place}.fn_completion_parser: missing");
        switch (parser)
        {
            case "regex_parser":
                Map patterns = kwargs.Below("outputs_to_match");
                return new(ParserKind.Regex, patterns.Needed("1"), patterns.Needed("2"), patterns.Text("1.5") ?? patterns.Text("0"), Strict: true);
            case "ranking_parser":
                return new(ParserKind.Ranking, kwargs.Text("model_1_name") ?? "model_1");
            case "json_parser":
                return new(ParserKind.Json, "1", "2", "1.5", Path: kwargs.Needed("annotation_key"));
            case "logprob_parser":
                string first = kwargs.Needed("numerator_token");
                string[] others = [.. kwargs.List("denominator_tokens").Where(token => token != first)];
                if (others.Length != 1)
                    throw new BadInputException($"{place}.completion_parser_kwargs.denominator_tokens: expected two tokens, the numerator and one other");
                return new(ParserKind.LogProb, first, others[0], Binary: kwargs.Text("is_binarize") is "true" or "True", Strict: true, Index: (int)(kwargs.Text("log_prob_index") is { } at && at != "batch" ? kwargs.Number("log_prob_index") ?? 0 : 0));
            default:
                throw new BadInputException($"{place}.fn_completion_parser: '{parser}' is not supported; regex_parser, ranking_parser, json_parser and logprob_parser are");
        }
    }

    // paths are relative to AlpacaEval's folder of evaluators, which is the parent of the configuration's own
    private static string ReadTemplate(string template, string file, string place)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(file))!;
        string? found = new[] { Path.Combine(folder, "..", template), Path.Combine(folder, template), Path.Combine(folder, Path.GetFileName(template)) }.FirstOrDefault(File.Exists);
        return found != null ? RecipeParser.ReadText(found) : throw new BadInputException($"{place}.prompt_template: no file '{template}' beside {folder} or in it");
    }

    /// <summary>ChatML as messages; a template without it is one user message.</summary>
    internal static IReadOnlyList<TurnSettings> Prompt(string text, string place)
    {
        text = text.Trim();
        if (!text.StartsWith(Start, StringComparison.Ordinal))
            return [new("user", Escaped(text, place))];
        if (!text.EndsWith(End, StringComparison.Ordinal))
            throw new BadInputException($"{place}.prompt_template: begins with {Start} and does not end with {End}");
        List<TurnSettings> turns = [];
        foreach (string part in text.Split(Start, StringSplitOptions.RemoveEmptyEntries))
        {
            string message = part.Split(End)[0];
            int lineEnd = message.IndexOf('\n', StringComparison.Ordinal);
            if (lineEnd < 0)
                throw new BadInputException($"{place}.prompt_template: a message has a role and no content");
            turns.Add(new(message[..lineEnd].Trim().Split(' ')[0], Escaped(message[(lineEnd + 1)..].Trim(), place)));
        }
        return turns;
    }

    // AlpacaEval's placeholders are {([^ \s]+?)}; all other braces are text
    private static string Escaped(string text, string place)
    {
        foreach (Match match in Placeholder.Matches(text))
            if (match.Groups[1].Value is not ("instruction" or "output_1" or "output_2" or "input"))
                throw new BadInputException($"{place}.prompt_template: the placeholder {match.Value} is not supported; {{instruction}}, {{input}}, {{output_1}} and {{output_2}} are");
            else if (text.IndexOf(match.Value, match.Index + 1, StringComparison.Ordinal) >= 0)
                throw new BadInputException($"{place}.prompt_template: {match.Value} occurs twice; with one pair a prompt it occurs once");
        string doubled = text.Replace("{", "{{", StringComparison.Ordinal).Replace("}", "}}", StringComparison.Ordinal);
        return Known.Replace(doubled, "{$1}");
    }

    [GeneratedRegex(@"{([^ \s]+?)}")]
    private static partial Regex Placeholder { get; }

    [GeneratedRegex(@"{{(instruction|output_1|output_2|input)}}")]
    private static partial Regex Known { get; }

    /// <summary>A map of a file of somebody else: keys that are not asked for do not matter.</summary>
    private sealed class Map(MapNode? node, string place)
    {
        private RecipeNode? Node(string key) => node?.Entries.FirstOrDefault(e => e.Key == key)?.Value;

        public string? Text(string key) => Node(key) is ScalarNode { IsNull: false } scalar ? scalar.Value : null;

        public string Needed(string key) => Text(key) ?? throw new BadInputException($"{place}: missing key '{key}'");

        public double? Number(string key) => Text(key) is not { } text ? null
            : double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && double.IsFinite(number) ? number
            : throw new BadInputException($"{place}.{key}: '{text}' is no number");

        public IEnumerable<string> List(string key) => Node(key) is ListNode list ? list.Items.OfType<ScalarNode>().Select(s => s.Value) : [];

        public Map Below(string key) => new(Node(key) as MapNode, $"{place}.{key}");
    }
}
