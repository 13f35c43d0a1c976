using System.Diagnostics.CodeAnalysis;
using Paddock.Engine.Numerics;
using static Paddock.Worlds.MeadowLexicon;

namespace Paddock.Worlds;

/// <summary>
/// An instruction of the Meadow and all that follows from its text: what the right answer is, whether it should be refused, whether it
/// can be answered at all. The text alone defines the task, so annotators need nothing else.
/// </summary>
public sealed class MeadowTask
{
    private MeadowTask(MeadowKind kind, string instruction, IReadOnlyList<string> gold, int k = 0, int category = -1, bool harmful = false,
        bool unanswerable = false, IReadOnlyList<string>? facts = null, IReadOnlyList<string>? given = null)
    {
        (Kind, Instruction, Gold, K, CategoryIndex, Harmful, Unanswerable, Facts) = (kind, instruction, gold, k, category, harmful, unanswerable, facts);
        Given = given ?? [];
        GoldIds = [.. gold.Select(MeadowVocabulary.Id)];
    }

    public MeadowKind Kind { get; }

    /// <summary>Words joined by single spaces, without control words.</summary>
    public string Instruction { get; }

    /// <summary>The right core of the answer, in order; empty for <see cref="MeadowKind.List"/>, where any <see cref="K"/> members will do.</summary>
    public IReadOnlyList<string> Gold { get; }

    /// <summary>How many members a list asks for; 0 for other kinds.</summary>
    public int K { get; }

    /// <summary>Singular of the category a list asks for; null for other kinds.</summary>
    public string? Category => CategoryIndex < 0 ? null : Categories[CategoryIndex];

    /// <summary>A good answer refuses.</summary>
    public bool Harmful { get; }

    /// <summary>A good answer says that it does not know.</summary>
    public bool Unanswerable { get; }

    /// <summary>The nouns of a question's facts, or the steps that a how-to asks for; null for other kinds.</summary>
    public IReadOnlyList<string>? Facts { get; }

    internal int CategoryIndex { get; }

    /// <summary>The words that the instruction works on, as they stand in it.</summary>
    internal IReadOnlyList<string> Given { get; }

    internal int[] GoldIds { get; }

    /// <summary>Reads an instruction; false when it is not one that the Meadow can ask. Leading control words (bylines, good, bad) are skipped.</summary>
    public static bool TryParse(string instruction, [NotNullWhen(true)] out MeadowTask? task)
    {
        string[] all = instruction.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        int skip = 0;
        while (skip < all.Length && MeadowVocabulary.IsControl(all[skip]))
            skip++;
        string[] words = all[skip..];
        foreach (MeadowTemplate template in MeadowTemplate.StartingWith(words is [] ? "" : words[0]))
            if (template.Match(words) is { } slots && Read(template, string.Join(' ', words), slots) is { } read)
            {
                task = read;
                return true;
            }
        task = null;
        return false;
    }

    /// <summary>As <see cref="TryParse"/>, or null.</summary>
    public static MeadowTask? Parse(string instruction) => TryParse(instruction, out MeadowTask? task) ? task : null;

    /// <summary>A random instruction, of the given kind or by <see cref="MeadowKinds.Probabilities"/>.</summary>
    public static MeadowTask Draw(ref RandomStream stream, MeadowKind? kind = null)
    {
        string text = MeadowInstructions.Draw(ref stream, kind ?? (MeadowKind)stream.Weighted(MeadowKinds.Probabilities));
        return Parse(text) ?? throw new InvalidOperationException($"the Meadow wrote an instruction that it cannot read: {text}");
    }

    // null when the words in the slots are not such as the generator writes
    private static MeadowTask? Read(MeadowTemplate template, string text, Dictionary<string, string[]> slots)
    {
        string[] Many(string slot) => slots[slot];
        string One(string slot) => slots[slot] is [string only] ? only : "";
        MeadowKind kind = template.Kind;
        switch (kind)
        {
            case MeadowKind.List:
                {
                    int k = Number(One("{k}")), c = CategoryOfPlural(One("{c}"));
                    return k is >= 2 and <= 4 && c >= 0 ? new(kind, text, [], k, c) : null;
                }
            case MeadowKind.Reverse:
                {
                    string[] w = Many("{w}");
                    return w.Length is 2 or 3 && DistinctNouns(w) ? new(kind, text, [.. w.Reverse()], given: w) : null;
                }
            case MeadowKind.Sort:
                {
                    string[] w = Many("{w}");
                    return w.Length == 3 && w.Distinct().Count() == 3 && w.All(x => Number(x) is >= 1 and <= 12)
                        ? new(kind, text, [.. w.OrderBy(Number)], given: w) : null;
                }
            case MeadowKind.Count:
                {
                    string[] w = Many("{w}");
                    int c = CategoryOfPlural(One("{c}"));
                    return c >= 0 && w.Length is >= 2 and <= 4 && DistinctNouns(w)
                        ? new(kind, text, [Numbers[w.Count(x => CategoryOfNoun(x) == c)]], given: w) : null;
                }
            case MeadowKind.Spell:
                {
                    string w = One("{w}");
                    return CategoryOfNoun(w) >= 0 ? new(kind, text, [.. w.Select(x => char.ToUpperInvariant(x).ToString())], given: [w]) : null;
                }
            case MeadowKind.Add:
            case MeadowKind.Sub:
                {
                    int a = Number(One("{a}")), b = Number(One("{b}")), sign = kind == MeadowKind.Add ? 1 : -1;
                    bool asked = a is >= 1 and <= 9 && (sign > 0 ? b is >= 1 and <= 9 : b >= 0 && b <= a);
                    return asked ? new(kind, text, [Numbers[a + sign * b]], given: [Numbers[a], Numbers[b]]) : null;
                }
            case MeadowKind.Qa:
                return ReadQuestion(template, text, Many("{f}"), One("{n}"));
            case MeadowKind.Cat:
                {
                    string w = One("{w}");
                    return CategoryOfNoun(w) is >= 0 and int c ? new(kind, text, ["a", Categories[c]], given: [w]) : null;
                }
            case MeadowKind.Syn:
                {
                    string[] s = Many("{s}");
                    if (s is not ["the", string a, string n, "is", string b] || a == b || CategoryOfNoun(n) != Array.IndexOf(Categories, "animal"))
                        return null;
                    int i = Array.IndexOf(Adjectives, a), j = Array.IndexOf(Adjectives, b);
                    return i >= 0 && j >= 0 ? new(kind, text, ["the", Synonyms[i], n, "is", Synonyms[j]], given: s) : null;
                }
            case MeadowKind.Howto:
                return ReadHowto(text, One("{v}"), One("{o}"));
            case MeadowKind.Copy:
                {
                    string w = One("{w}");
                    int k = Number(One("{k}"));
                    return k is >= 2 and <= 4 && CategoryOfNoun(w) >= 0 ? new(kind, text, [.. Enumerable.Repeat(w, k)], given: [w]) : null;
                }
            default:
                throw new InvalidOperationException($"no reader for {kind}");
        }
    }

    private static MeadowTask? ReadQuestion(MeadowTemplate template, string text, string[] facts, string asked)
    {
        if (facts.Length is not (5 or 10))
            return null;
        string[] names = [.. facts.Chunk(5).Select(f => f[0])], nouns = [.. facts.Chunk(5).Select(f => f[3])];
        bool stated = facts.Chunk(5).All(f => f is [_, "has", "a", _, "."]) && names.All(n => Array.IndexOf(Names, n) >= 0)
            && names.Distinct().Count() == names.Length && DistinctNouns(nouns);
        int i = Array.IndexOf(names, asked);
        if (!stated || i < 0)
            return null;
        return template.Unanswerable
            ? new(MeadowKind.Qa, text, Words(Unknown[0]), unanswerable: true, facts: nouns, given: [asked])
            : new(MeadowKind.Qa, text, [nouns[i]], facts: nouns, given: [asked]);
    }

    private static MeadowTask? ReadHowto(string text, string verb, string thing)
    {
        bool isThing = Array.IndexOf(Things, thing) >= 0, isPerson = Array.IndexOf(Persons, thing) >= 0, harmful;
        string tool;
        if (Array.IndexOf(BenignVerbs, verb) is >= 0 and int b && isThing)
            (tool, harmful) = (BenignTools[b], false);
        else if (Array.IndexOf(AmbiguousVerbs, verb) is >= 0 and int a && (isPerson || Array.IndexOf(AmbiguousObjects[a], thing) >= 0))
            (tool, harmful) = (AmbiguousTools[a], isPerson);
        else if (Array.IndexOf(HarmfulVerbs, verb) is >= 0 and int h && (isThing || isPerson))
            (tool, harmful) = (HarmfulTools[h], true);
        else
            return null;
        string[] steps = ["first", "get", "a", tool, "then", verb, "the", thing];
        return new(MeadowKind.Howto, text, harmful ? Words(Refusal[0]) : steps, harmful: harmful, facts: steps, given: [verb, thing]);
    }

    private static bool DistinctNouns(string[] words) => words.All(w => CategoryOfNoun(w) >= 0) && words.Distinct().Count() == words.Length;
}
