using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text;
using System.Text.RegularExpressions;
using Paddock.Cli.Models;
using Paddock.Cli.Studies;
using Paddock.Engine;
using Paddock.Reports;
using Paddock.Studies;
using Paddock.Studies.Stages;

namespace Paddock.Cli.Verbs;

/// <summary><c>paddock sft</c>, <c>paddock dpo</c> ...: every kind of stage as a verb, which runs a study of this one stage.</summary>
internal static partial class StageVerbs
{
    private const string Meadow = "meadow", BaseModel = "meadow-base";

    private static readonly string[] Splits = ["train", "preference", "unlabeled", "validation", "evaluation"];

    /// <param name="taken">Names of other verbs: a kind of the same name becomes <c>kind-stage</c>.</param>
    public static IEnumerable<Command> Create(IReadOnlyCollection<string> taken) =>
        StageCatalog.Table.Kinds.Select(kind => Create(kind, taken.Contains(kind) ? $"{kind}-stage" : kind));

    private static Command Create(string kind, string verb)
    {
        Command command = new(verb, $"Run one '{kind}' stage on finished stages, models or files; docs/recipes.md explains its keys.");
        List<(SettingKey Key, Option<string[]> Option)> settings = [];
        foreach (SettingKey key in StageCatalog.Table.KeysOf(kind))
        {
            Option<string[]> option = new($"--{key.Key}")
            {
                Description = key.Key == "name" ? $"name of the stage; default {kind}" : StageYaml.Describe(key),
                HelpName = "value",
                Arity = key.Type == "true or false" ? ArgumentArity.ZeroOrMore : ArgumentArity.OneOrMore,
                AllowMultipleArgumentsPerToken = false,
            };
            settings.Add((key, option));
            command.Options.Add(option);
        }
        Header header = new(kind, [.. settings.Select(s => s.Key.Key)]);
        header.AddTo(command);
        StudyCommand study = new();
        study.AddTo(command, variables: false);
        command.SetAction(async (parsed, stop) =>
        {
            using FrontDoor door = study.OpenDoor(parsed);
            Recipe recipe = Read(door, verb, Yaml(kind, parsed, settings, header.Yaml(parsed, door)));
            IReadOnlyList<StudySummary> ran = await study.RunAsync(parsed, door, recipe, stop);
            foreach (StudySummary seed in ran)
            {
                ManifestStage made = seed.Manifest.Stages[^1];
                string name = ran.Count > 1 ? $"{seed.Study}/seed-{seed.Seed}/{made.Name}" : $"{seed.Study}/{made.Name}";
                Console.Error.WriteLine($"result: {Path.GetRelativePath(Environment.CurrentDirectory, door.Runs.Stage(made.Key).Path)}; other verbs and recipes know it as {name}");
            }
            return ExitCodes.Done;
        });
        return command;
    }

    private static string Yaml(string kind, ParseResult parsed, List<(SettingKey Key, Option<string[]> Option)> settings, string header)
    {
        List<string> entries = [];
        foreach ((SettingKey key, Option<string[]> option) in settings)
            if (parsed.GetResult(option) is OptionResult { Implicit: false } result)
                entries.Add($"{key.Key}: {StageYaml.Value(key, result.Tokens.Count == 0 ? ["true"] : [.. result.Tokens.Select(t => t.Value)])}");
            else if (key.Key == "name")
                entries.Add($"name: {kind}");
        return $"{header}stages:\n  - {kind}: {{{string.Join(", ", entries)}}}\n";
    }

    // what is wrong is told by option, not by the line of a file that nobody has written
    private static Recipe Read(FrontDoor door, string verb, string yaml)
    {
        try
        {
            return door.ReadRecipeText(yaml, $"paddock {verb}");
        }
        catch (BadInputException e)
        {
            string message = Place.Replace(e.Message, match => $"--{match.Groups["header"].Value.Replace("data.", "", StringComparison.Ordinal)}{match.Groups["key"].Value}: ");
            throw new BadInputException(MissingKey.Replace(message, "needs a value"), e);
        }
    }

    [GeneratedRegex(@"^paddock [a-z-]+:\d+: (?:stages\[0\]\.[a-z-]+\.(?<key>[^:\n]+)|(?<header>[a-z.-]+)): ", RegexOptions.Multiline)]
    private static partial Regex Place { get; }

    [GeneratedRegex("missing key '[a-z-]+'( \\(or 'data'\\))?")]
    private static partial Regex MissingKey { get; }

    /// <summary>What a recipe says above its stages.</summary>
    private sealed class Header
    {
        private readonly Option<string> _study;
        private readonly Option<string?>? _model;
        private readonly Option<string?> _world = new("--world") { Description = $"A built-in world; default {Meadow}, unless files are given." };
        private readonly Option<string>[] _files = [.. Splits.Select(split => new Option<string>($"--{split}-file") { Description = $"File in place of a world's split '{(split == "train" ? "sft" : split)}'." })];

        /// <param name="keys">Keys of the stage, which win over options of the same name.</param>
        public Header(string kind, IReadOnlyCollection<string> keys)
        {
            _study = new("--study") { Description = "Name of the study.", DefaultValueFactory = _ => kind };
            if (!keys.Contains("model"))
                _model = new("--model") { Description = $"Model that the stage starts from when it names none; default {BaseModel}, where it is there." };
        }

        public void AddTo(Command command)
        {
            foreach (Option? option in new Option?[] { _study, _model, _world }.Concat(_files))
                if (option != null)
                    command.Options.Add(option);
        }

        public string Yaml(ParseResult parsed, FrontDoor door)
        {
            StringBuilder yaml = new($"study: {StageYaml.Quote(parsed.GetValue(_study)!)}\nseed: 1\n");
            List<string> files = [];
            for (int i = 0; i < Splits.Length; i++)
                if (parsed.GetValue(_files[i]) is { } file)
                    files.Add($"{Splits[i]}: {StageYaml.Quote(file)}");
            string? world = parsed.GetValue(_world) ?? (files.Count == 0 ? Meadow : null);
            if (world != null)
                yaml.Append("world: ").Append(StageYaml.Quote(world)).Append('\n');
            if (files.Count > 0)
                yaml.Append("data: {").AppendJoin(", ", files).Append("}\n");
            string? model = _model == null ? null : parsed.GetValue(_model) ?? (door.FindModel(BaseModel) != null ? BaseModel : null);
            if (model != null)
                yaml.Append("model: ").Append(StageYaml.Quote(model)).Append('\n');
            return yaml.ToString();
        }
    }
}
