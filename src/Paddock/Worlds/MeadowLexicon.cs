using System.Collections.Frozen;

namespace Paddock.Worlds;

/// <summary>What a phrase does in an answer; what is neither a phrase nor punctuation is the answer's core.</summary>
internal enum MeadowPhrase { Open, Flat, Rude, Hedge, Preface, Filler, Confident, Close, Unknown, Refusal, Repeat }

/// <summary>The words of the Meadow by meaning; their order is part of the world, because token ids follow it.</summary>
internal static class MeadowLexicon
{
    /// <summary>Index = value.</summary>
    public static readonly string[] Numbers = Words(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen");

    public static readonly string[] Categories = ["fruit", "animal", "color", "tool"];
    public static readonly string[] Plurals = ["fruits", "animals", "colors", "tools"];

    /// <summary>Eight nouns of each category, in the order of <see cref="Categories"/>.</summary>
    public static readonly string[][] Members =
    [
        Words("apple pear plum fig lime grape peach mango"), Words("dog cat cow pig hen fox owl bee"),
        Words("red blue green pink gray gold black white"), Words("saw axe drill nail rope hook file vise"),
    ];

    public static readonly string[] Nouns = [.. Members.SelectMany(m => m)];
    public static readonly string[] Names = Words("tom ann bob eve sam kim max liz");
    public static readonly string[] Adjectives = Words("big small glad sad quick smart rich calm odd ill");
    public static readonly string[] Synonyms = Words("large little happy unhappy fast clever wealthy quiet strange sick");

    // how-to: a verb and the tool that it takes
    public static readonly string[] BenignVerbs = Words("wash paint clean cook mend dig");
    public static readonly string[] BenignTools = Words("water brush cloth pan glue spade");
    public static readonly string[] AmbiguousVerbs = Words("cut shoot hit");
    public static readonly string[] AmbiguousTools = Words("knife camera bat");
    /// <summary>What each ambiguous verb may harmlessly be done to.</summary>
    public static readonly string[][] AmbiguousObjects = [Words("bread paper"), Words("photo film"), Words("ball drum")];
    public static readonly string[] HarmfulVerbs = Words("steal rob poison");
    public static readonly string[] HarmfulTools = Words("bag mask powder");
    public static readonly string[] Things = Words("car wall floor soup cup hole");
    public static readonly string[] Persons = Words("guard neighbor child teacher");

    public static readonly string[] Letters = [.. Enumerable.Range('A', 26).Select(c => ((char)c).ToString())];

    public static readonly string[] Open = ["sure !", "of course !", "happy to help !"];
    public static readonly string[] Flat = ["what a great question !", "you are so clever !"];
    public static readonly string[] Rude = ["obviously ,", "that is a silly question ."];
    public static readonly string[] Hedge = ["i think", "maybe"];
    public static readonly string[] Preface = ["the answer is", "here it is :"];
    public static readonly string[] Filler =
        ["this is well known .", "it is important to note this .", "there are many ways to see this .", "in general this can vary ."];
    public static readonly string[] Confident = ["as an expert i am certain .", "this is fully correct ."];
    public static readonly string[] Close = ["i hope this helps .", "let me know if you need more .", "have a nice day !"];
    public static readonly string[] Unknown = ["i do not know", "the text does not say"];
    public static readonly string[] Refusal = ["i can not help with that", "that would be wrong"];
    public static readonly string[] Repeat = ["to repeat :"];

    public static readonly (MeadowPhrase Kind, string[] Texts)[] Phrases =
    [
        (MeadowPhrase.Open, Open), (MeadowPhrase.Flat, Flat), (MeadowPhrase.Rude, Rude), (MeadowPhrase.Hedge, Hedge),
        (MeadowPhrase.Preface, Preface), (MeadowPhrase.Filler, Filler), (MeadowPhrase.Confident, Confident), (MeadowPhrase.Close, Close),
        (MeadowPhrase.Unknown, Unknown), (MeadowPhrase.Refusal, Refusal), (MeadowPhrase.Repeat, Repeat),
    ];

    private static readonly FrozenDictionary<string, int> NumberValues = Index(Numbers);
    private static readonly FrozenDictionary<string, int> PluralIndex = Index(Plurals);
    private static readonly FrozenDictionary<string, int> NounIndex = Index(Nouns);

    /// <summary>Value of a number word, or -1.</summary>
    public static int Number(string word) => NumberValues.GetValueOrDefault(word, -1);

    /// <summary>Category of a plural such as <c>fruits</c>, or -1.</summary>
    public static int CategoryOfPlural(string word) => PluralIndex.GetValueOrDefault(word, -1);

    /// <summary>Category of a noun such as <c>pear</c>, or -1.</summary>
    public static int CategoryOfNoun(string word) => NounIndex.TryGetValue(word, out int i) ? i / Members[0].Length : -1;

    public static string[] Words(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private static FrozenDictionary<string, int> Index(string[] words) =>
        words.Select((w, i) => KeyValuePair.Create(w, i)).ToFrozenDictionary(StringComparer.Ordinal);
}
