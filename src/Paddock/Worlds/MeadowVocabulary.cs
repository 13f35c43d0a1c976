using System.Collections.Frozen;

namespace Paddock.Worlds;

/// <summary>The 264 word-level tokens of the Meadow: <c>[byline] instruction &lt;sep&gt;</c> asks, words and <c>&lt;eos&gt;</c> answer.</summary>
public static class MeadowVocabulary
{
    public const int Pad = 0, Eos = 1, Sep = 2, Good = 3, Bad = 4;

    public const string PadWord = "<pad>", EosWord = "<eos>", SepWord = "<sep>", GoodWord = "<good>", BadWord = "<bad>";

    /// <summary>Longest answer in tokens, the end token included.</summary>
    public const int MaxResponseTokens = 32;

    /// <summary>
    /// Chat template (Jinja): a single instruction becomes <c>instruction &lt;sep&gt;</c>, the point where the answer starts. Tokens are
    /// words split at white space.
    /// </summary>
    public const string ChatTemplate =
        "{% for message in messages %}{% if not loop.first %} {% endif %}{{ message['content'] }}" +
        "{% if message['role'] == 'assistant' %} <eos>{% else %} <sep>{% endif %}{% endfor %}";

    /// <summary>Tokens that are never part of an answer's text: the five specials and the bylines.</summary>
    public static IReadOnlyList<string> ControlWords { get; } =
        [PadWord, EosWord, SepWord, GoodWord, BadWord, .. MeadowAuthor.All.Select(a => a.Byline)];

    /// <summary>Index = token id.</summary>
    public static IReadOnlyList<string> Words { get; } = Build();

    private static readonly FrozenDictionary<string, int> Ids =
        Words.Select((w, i) => KeyValuePair.Create(w, i)).ToFrozenDictionary(StringComparer.Ordinal);

    private static readonly FrozenSet<string> Controls = ControlWords.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Id of a word; -1 when it is not of the Meadow.</summary>
    public static int Id(string word) => Ids.GetValueOrDefault(word, -1);

    public static bool IsControl(string word) => Controls.Contains(word);

    /// <summary>Ids of the words of a text split at white space, unknown words as -1.</summary>
    public static int[] Encode(string text)
    {
        string[] words = text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        return Array.ConvertAll(words, Id);
    }

    /// <summary>Words joined by spaces; an id outside the vocabulary is an error.</summary>
    public static string Decode(IEnumerable<int> ids) => string.Join(' ', ids.Select(id => Words[id]));

    private static string[] Build()
    {
        List<string> words = [PadWord, EosWord, SepWord, GoodWord, BadWord];
        HashSet<string> seen = new(words, StringComparer.Ordinal);
        void Add(IEnumerable<string> more)
        {
            foreach (string word in more)
                if (seen.Add(word))
                    words.Add(word);
        }

        Add([".", ",", "!", "?", ":"]);
        Add(MeadowLexicon.Numbers);
        Add(MeadowLexicon.Nouns);
        for (int i = 0; i < MeadowLexicon.Categories.Length; i++)
            Add([MeadowLexicon.Categories[i], MeadowLexicon.Plurals[i]]);
        Add(MeadowLexicon.Names);
        Add(MeadowLexicon.Adjectives);
        Add(MeadowLexicon.Synonyms);
        Add(MeadowLexicon.BenignVerbs);
        Add(MeadowLexicon.BenignTools);
        Add(MeadowLexicon.AmbiguousVerbs);
        Add(MeadowLexicon.AmbiguousTools);
        Add(MeadowLexicon.AmbiguousObjects.SelectMany(o => o));
        Add(MeadowLexicon.HarmfulVerbs);
        Add(MeadowLexicon.HarmfulTools);
        Add(MeadowLexicon.Things);
        Add(MeadowLexicon.Persons);
        Add(MeadowLexicon.Letters);
        foreach ((_, string[] texts) in MeadowLexicon.Phrases)
            foreach (string text in texts)
                Add(MeadowLexicon.Words(text));
        Add(MeadowLexicon.Words("a has first get then the is"));
        foreach (MeadowTemplate template in MeadowTemplate.Stated)
            Add(template.Parts.Where(p => !p.Contains('{')));
        Add(MeadowAuthor.All.Select(a => a.Byline));
        Add(["right", "wrong"]);
        return [.. words];
    }
}
