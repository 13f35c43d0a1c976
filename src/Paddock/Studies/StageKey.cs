using System.Text;
using Paddock.Engine.Numerics;
using Paddock.Studies.Recipes;

namespace Paddock.Studies;

/// <summary>
/// The name of a result: SHA-256 of a text that states everything the result depends on, and nothing else. Equal keys, equal bytes; so
/// finished stages are shared by all studies, seeds and sweeps.
/// </summary>
/// <param name="Value">64 hex digits.</param>
/// <param name="Text">The hashed text, one part a line.</param>
public sealed record StageKey(string Value, IReadOnlyList<string> Text)
{
    /// <summary>Seed of a stage: a pure function of the study's seed and the stage's name.</summary>
    public static ulong SeedOf(ulong studySeed, string stageName) => new RandomStream(studySeed, $"stage/{stageName}").AsSeed();

    /// <param name="kind">Key of the stage's kind.</param>
    /// <param name="stage">Its settings; the name counts through the seed only.</param>
    /// <param name="table">Writes the settings out.</param>
    /// <param name="studySeed">Seed of the study.</param>
    /// <param name="world">Fingerprint of the world, for stages that read it.</param>
    /// <param name="backend">The recipe's backend, for stages that use it.</param>
    /// <param name="inputs">Path of a setting to what it stands for: the key of a stage or the fingerprint of a file. Their names do not count.</param>
    public static StageKey For(string kind, IStage stage, StageTable table, ulong studySeed, string? world, string? backend, IReadOnlyDictionary<string, string> inputs)
    {
        StringBuilder settings = new();
        Canonical(settings, SettingsTree.Of(stage, table), "", inputs);
        List<string> text = ["paddock stage 1", $"kind {kind}", $"version {stage.Version}", $"numerics {Engine.NumericsVersion.Current}", $"seed {SeedOf(studySeed, stage.Name)}"];
        if (stage.Uses.HasFlag(StageUses.World))
            text.Add($"world {world}");
        if (stage.Uses.HasFlag(StageUses.Backend))
            text.Add($"backend {backend}");
        text.Add($"settings {settings}");
        text.AddRange(inputs.OrderBy(i => i.Key, StringComparer.Ordinal).Select(i => $"input {i.Key} {i.Value}"));
        return new(Fingerprint.OfText(string.Join('\n', text)), text);
    }

    // One line; keys of records in ordinal order, so that reordering a record's parameters changes no key; maps and lists as given,
    // because their order may show in the outputs. Text is always quoted, numbers never, so neither can pass for the other.
    private static void Canonical(StringBuilder text, RecipeNode node, string path, IReadOnlyDictionary<string, string> inputs)
    {
        string separator = "";
        switch (node)
        {
            case ScalarNode when inputs.ContainsKey(path):
                text.Append('@');
                break;
            case ScalarNode { Plain: true } scalar:
                text.Append(scalar.Value);
                break;
            case ScalarNode scalar:
                Quote(text, scalar.Value);
                break;
            case ListNode list:
                text.Append('[');
                for (int i = 0; i < list.Items.Count; i++)
                {
                    text.Append(separator);
                    Canonical(text, list.Items[i], $"{path}[{i}]", inputs);
                    separator = ",";
                }
                text.Append(']');
                break;
            case MapNode map:
                text.Append(map.IsRecord ? '{' : '(');
                foreach (MapEntry entry in map.IsRecord ? map.Entries.OrderBy(e => e.Key, StringComparer.Ordinal) : map.Entries.AsEnumerable())
                {
                    if (path.Length == 0 && entry.Key == "name")
                        continue;
                    text.Append(separator);
                    Quote(text, entry.Key);
                    text.Append(':');
                    Canonical(text, entry.Value, path.Length == 0 ? entry.Key : $"{path}.{entry.Key}", inputs);
                    separator = ",";
                }
                text.Append(map.IsRecord ? '}' : ')');
                break;
        }
    }

    private static void Quote(StringBuilder text, string value) =>
        text.Append('"').Append(System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(value)).Append('"');
}
