namespace Paddock.Engine.Tokenizers;

/// <summary>A token that is found in the text before anything else looks at it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Content">Its spelling.</param>
/// <param name="Special">Dropped by a decode that skips special tokens.</param>
/// <param name="Normalized">Matched after the normalizer instead of on the raw text.</param>
/// <param name="SingleWord">Only where no word character touches it.</param>
/// <param name="LStrip">Swallows white space before it.</param>
/// <param name="RStrip">Swallows white space after it.</param>
public sealed record AddedToken(int Id, string Content, bool Special = true, bool Normalized = false, bool SingleWord = false,
    bool LStrip = false, bool RStrip = false);

/// <summary>Finds added tokens: leftmost, then longest. A trie, so a text of n characters costs n times the longest token at most.</summary>
internal sealed class AddedTokenMatcher
{
    private readonly Dictionary<ulong, int> _edges = [];
    private readonly List<AddedToken?> _ends = [null];
    private readonly System.Buffers.SearchValues<char> _firsts;

    public AddedTokenMatcher(IEnumerable<AddedToken> tokens)
    {
        HashSet<char> firsts = [];
        foreach (AddedToken token in tokens)
        {
            if (token.Content.Length == 0)
                continue;
            firsts.Add(token.Content[0]);
            int node = 0;
            foreach (char c in token.Content)
            {
                if (!_edges.TryGetValue(Edge(node, c), out int next))
                {
                    next = _ends.Count;
                    _ends.Add(null);
                    _edges.Add(Edge(node, c), next);
                }
                node = next;
            }
            _ends[node] ??= token;
        }
        _firsts = System.Buffers.SearchValues.Create([.. firsts]);
    }

    public bool IsEmpty => _ends.Count == 1;

    /// <summary>
    /// The next token at or after <paramref name="from"/>; <paramref name="start"/> and <paramref name="end"/> include the white space it
    /// swallows, never any before <paramref name="from"/>.
    /// </summary>
    public AddedToken? Find(ReadOnlySpan<char> text, int from, bool skipSpecial, out int start, out int end)
    {
        int at = from;
        while (at < text.Length)
        {
            int hit = text[at..].IndexOfAny(_firsts);
            if (hit < 0)
                break;
            at += hit;
            AddedToken? token = Longest(text, at, skipSpecial);
            if (token == null)
            {
                at++;
                continue;
            }
            start = at;
            end = at + token.Content.Length;
            if (token.SingleWord && Touched(text, start, end))
            {
                at = end;
                continue;
            }
            while (token.LStrip && start > from && CodePoints.IsSpace(text[start - 1]))
                start--;
            while (token.RStrip && end < text.Length && CodePoints.IsSpace(text[end]))
                end++;
            return token;
        }
        start = end = text.Length;
        return null;
    }

    private AddedToken? Longest(ReadOnlySpan<char> text, int at, bool skipSpecial)
    {
        AddedToken? best = null;
        int node = 0;
        for (int i = at; i < text.Length && _edges.TryGetValue(Edge(node, text[i]), out node); i++)
            if (_ends[node] is { } token && !(skipSpecial && token.Special))
                best = token;
        return best;
    }

    private static bool Touched(ReadOnlySpan<char> text, int start, int end) =>
        (start > 0 && (CodePoints.Before(text, start) & CharClass.Word) != 0)
        || (end < text.Length && (CodePoints.At(text, end, out _) & CharClass.Word) != 0);

    private static ulong Edge(int node, char c) => ((ulong)(uint)node << 16) | c;
}
