using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Paddock.Studies.Recipes;

namespace Paddock.Tests.Docs;

/// <summary>One row of a table of keys.</summary>
internal sealed record KeyRow(string Key, string Type, string Default, string Meaning)
{
    public override string ToString() => $"| `{Key}` | {Type.Replace("|", "\\|", StringComparison.Ordinal)} | {Default} | {Meaning} |";
}

/// <summary>What the keys of a settings record mean: the param text of its docstring, else the meaning a key has everywhere.</summary>
internal static partial class SettingDocs
{
    private static readonly Dictionary<string, string> Everywhere = new(StringComparer.Ordinal)
    {
        ["name"] = "Unique within the study; other stages name it as their input.",
        ["batch"] = "Examples a step.",
        ["epochs"] = "Passes over the data.",
        ["steps"] = "Steps of the optimizer.",
        ["learning-rate"] = "Rate at the peak of its schedule.",
        ["beta"] = "How strongly the policy is held to its reference.",
        ["loss"] = "The loss on a pair (docs/methods/dpo.md).",
        ["label-smoothing"] = "Assumed share of wrong labels, for losses that take one; their own default when left out.",
        ["temperature"] = "Sampling temperature; 0 takes the likeliest token.",
        ["top-p"] = "Samples among the likeliest tokens that make up this share; 1 is off.",
        ["top-k"] = "Samples among so many of the likeliest tokens; 0 is off.",
        ["max-tokens"] = "Longest answer; the world's own limit when left out.",
        ["split"] = "Split whose prompts are used.",
        ["micro-tokens"] = "Tokens in memory at once; changes speed and memory only.",
        ["lora"] = "Trains adapters in place of the weights; keys below.",
        ["beta1"] = "Decay of AdamW's first moment.",
        ["beta2"] = "Decay of AdamW's second moment.",
        ["epsilon"] = "AdamW's guard against division by zero.",
        ["weight-decay"] = "Decoupled decay of tensors of two or more dimensions.",
        ["rank"] = "Rank of each adapter.",
        ["rank-stabilised"] = "Scales by alpha / sqrt(rank) (Kalajdzievski 2023).",
        ["layers"] = "Transformer blocks.",
        ["heads"] = "Attention heads.",
        ["feed-forward"] = "Width of the MLP.",
        ["max-positions"] = "Longest sequence in tokens.",
        ["policy"] = "Stage or model that answers.",
        ["rerank"] = "Stage of a reward model that chooses among the answers.",
        ["n"] = "Answers drawn a prompt.",
    };

    private static readonly Dictionary<Assembly, XDocument> Documents = [];

    /// <summary>Own keys of a record and those of inlined records, in the order a recipe's reader knows them.</summary>
    public static IEnumerable<KeyRow> Keys(Type record)
    {
        foreach (SettingParameter parameter in RecordShape.Of(record).Parameters)
            if (parameter.Inline)
                foreach (KeyRow row in Keys(parameter.Type))
                    yield return row;
            else
                yield return new(parameter.Key, Scalars.Name(parameter.Type), parameter.Required ? "required" : parameter.DefaultText == "null" ? "" : $"`{parameter.DefaultText}`", Meaning(record, parameter.Key));
    }

    /// <summary>First sentence on a type, the words <c>kind: </c> at its head left out.</summary>
    public static string Summary(Type type)
    {
        string text = Text(Member(type)?.Element("summary")) ?? throw new InvalidOperationException($"{type.Name} has no summary");
        int colon = text.IndexOf("`: ", StringComparison.Ordinal);
        text = colon < 0 ? text : text[(colon + 3)..];
        return char.ToUpperInvariant(text[0]) + text[1..];
    }

    private static string Meaning(Type record, string key) =>
        Text(Member(record)?.Elements("param").FirstOrDefault(p => Names.Kebab((string)p.Attribute("name")!) == key))
        ?? Everywhere.GetValueOrDefault(key)
        ?? throw new InvalidOperationException($"{record.Name}: give the parameter of key '{key}' a <param> text; docs/recipes.md shows it");

    private static XElement? Member(Type type)
    {
        if (!Documents.TryGetValue(type.Assembly, out XDocument? document))
            Documents[type.Assembly] = document = XDocument.Load(Path.ChangeExtension(type.Assembly.Location, ".xml"));
        return document.Descendants("member").FirstOrDefault(m => (string?)m.Attribute("name") == $"T:{type.FullName!.Replace('+', '.')}");
    }

    private static string? Text(XElement? element)
    {
        if (element == null)
            return null;
        string text = string.Concat(element.Nodes().Select(node => node switch
        {
            XElement { Name.LocalName: "c" } code => $"`{code.Value}`",
            XElement { Name.LocalName: "see" } see => $"`{Reference((string?)see.Attribute("cref") ?? "")}`",
            XElement { Name.LocalName: "paramref" } reference => $"`{Names.Kebab((string)reference.Attribute("name")!)}`",
            XElement other => other.Value,
            _ => node.ToString().Replace("&lt;", "<", StringComparison.Ordinal).Replace("&gt;", ">", StringComparison.Ordinal).Replace("&amp;", "&", StringComparison.Ordinal),
        }));
        text = Space.Replace(text, " ").Trim();
        return text.Length == 0 ? null : text;
    }

    // T:Paddock.Data.Verdict is Verdict; P:Paddock.Data.Verdict.Tie is Verdict.Tie
    private static string Reference(string cref)
    {
        string[] parts = cref.Split('.');
        return cref.StartsWith("T:", StringComparison.Ordinal) || parts.Length < 2 ? parts[^1] : $"{parts[^2]}.{parts[^1]}";
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Space { get; }
}
