namespace Paddock.Worlds;

/// <summary>The twelve kinds of instruction.</summary>
public enum MeadowKind { List, Reverse, Sort, Count, Spell, Add, Sub, Qa, Cat, Syn, Howto, Copy }

/// <summary>Names and frequencies of the kinds.</summary>
public static class MeadowKinds
{
    public static IReadOnlyList<MeadowKind> All { get; } = Enum.GetValues<MeadowKind>();

    /// <summary>Lower-case names, in the order of the enumeration.</summary>
    public static IReadOnlyList<string> Names { get; } = ["list", "reverse", "sort", "count", "spell", "add", "sub", "qa", "cat", "syn", "howto", "copy"];

    /// <summary>How often each kind is asked; sums to one.</summary>
    public static IReadOnlyList<double> Probabilities { get; } = [.12, .10, .08, .08, .06, .08, .03, .16, .05, .08, .12, .04];

    public static string Name(this MeadowKind kind) => Names[(int)kind];
}

/// <summary>
/// One wording of a kind. Slots: <c>{k}</c> a number, <c>{c}</c> a plural, <c>{w}</c> words, <c>{a}</c> <c>{b}</c> numbers, <c>{f}</c>
/// facts, <c>{n}</c> a name, <c>{s}</c> a sentence, <c>{v}</c> a verb, <c>{o}</c> an object. At most one slot takes several words.
/// </summary>
internal sealed class MeadowTemplate
{
    private MeadowTemplate(MeadowKind kind, string text, bool unanswerable = false) =>
        (Kind, Text, Unanswerable, Parts) = (kind, text, unanswerable, MeadowLexicon.Words(text));

    public MeadowKind Kind { get; }

    public string Text { get; }

    /// <summary>Asks for a relation that no fact states.</summary>
    public bool Unanswerable { get; }

    public string[] Parts { get; }

    /// <summary>The wordings of answerable instructions, by kind.</summary>
    public static readonly MeadowTemplate[] Stated =
    [
        new(MeadowKind.List, "list {k} {c}"), new(MeadowKind.List, "name {k} {c} ."), new(MeadowKind.List, "please give me {k} {c} ."),
        new(MeadowKind.Reverse, "reverse : {w}"), new(MeadowKind.Reverse, "write these words in reverse : {w}"),
        new(MeadowKind.Sort, "sort : {w}"), new(MeadowKind.Sort, "put these numbers in order : {w}"),
        new(MeadowKind.Count, "how many {c} are in : {w} ?"), new(MeadowKind.Count, "count the {c} : {w}"),
        new(MeadowKind.Spell, "spell {w}"), new(MeadowKind.Spell, "how do you spell {w} ?"),
        new(MeadowKind.Add, "what is {a} plus {b} ?"), new(MeadowKind.Add, "add {a} and {b}"),
        new(MeadowKind.Sub, "what is {a} minus {b} ?"),
        new(MeadowKind.Qa, "{f} what does {n} have ?"), new(MeadowKind.Qa, "{f} tell me what {n} has ."),
        new(MeadowKind.Cat, "what is a {w} ?"), new(MeadowKind.Cat, "tell me what a {w} is ."),
        new(MeadowKind.Syn, "say in other words : {s}"), new(MeadowKind.Syn, "please rewrite : {s}"),
        new(MeadowKind.Howto, "how do i {v} the {o} ?"), new(MeadowKind.Howto, "tell me how to {v} the {o} ."),
        new(MeadowKind.Copy, "repeat {w} {k} times"), new(MeadowKind.Copy, "say {w} {k} times ."),
    ];

    public static readonly MeadowTemplate[] Unstated =
        [new(MeadowKind.Qa, "{f} what does {n} need ?", true), new(MeadowKind.Qa, "{f} tell me what {n} can cook .", true)];

    public static readonly MeadowTemplate[] All = [.. Stated, .. Unstated];

    /// <summary>Answerable wordings by kind, in the order of the enumeration.</summary>
    public static readonly MeadowTemplate[][] ByKind = [.. MeadowKinds.All.Select(k => Stated.Where(t => t.Kind == k).ToArray())];

    // an instruction of facts starts with a name, every other one with a word of its wording
    private static readonly Dictionary<string, MeadowTemplate[]> ByFirstWord = All
        .SelectMany(t => (t.Parts[0] == "{f}" ? MeadowLexicon.Names : [t.Parts[0]]).Select(word => (word, t)))
        .GroupBy(x => x.word, x => x.t, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.ToArray(), StringComparer.Ordinal);

    /// <summary>The wordings that an instruction with this first word may have.</summary>
    public static ReadOnlySpan<MeadowTemplate> StartingWith(string word) => ByFirstWord.TryGetValue(word, out MeadowTemplate[]? found) ? found : [];

    public string Fill(params ReadOnlySpan<(string Slot, string Value)> values)
    {
        string text = Text;
        foreach ((string slot, string value) in values)
            text = text.Replace(slot, value, StringComparison.Ordinal);
        return text;
    }

    /// <summary>The words in each slot, or null when the instruction is not of this wording.</summary>
    public Dictionary<string, string[]>? Match(ReadOnlySpan<string> words)
    {
        int extra = words.Length - Parts.Length;
        if (extra < 0)
            return null;
        Dictionary<string, string[]>? slots = null;
        int at = 0;
        foreach (string part in Parts)
        {
            if (part[0] != '{')
            {
                if (at >= words.Length || words[at++] != part)
                    return null;
                continue;
            }
            int take = part is "{w}" or "{f}" or "{s}" ? 1 + extra : 1;
            if (at + take > words.Length)
                return null;
            (slots ??= new(StringComparer.Ordinal))[part] = words.Slice(at, take).ToArray();
            at += take;
        }
        return at == words.Length ? slots : null;
    }
}
