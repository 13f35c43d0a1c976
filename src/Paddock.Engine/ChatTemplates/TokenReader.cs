namespace Paddock.Engine.ChatTemplates;

/// <summary>The tokens of a template and the place in them.</summary>
internal sealed class TokenReader(List<Token> tokens)
{
    private int _at;

    public Token Current => tokens[_at];

    public Token Ahead => tokens[Math.Min(_at + 1, tokens.Count - 1)];

    public Token Next() => Current.Kind == TokenKind.End ? Current : tokens[_at++];

    public bool Take(string op)
    {
        bool match = Current.Is(op);
        _at += match ? 1 : 0;
        return match;
    }

    public bool TakeName(string name)
    {
        bool match = Current.IsName(name);
        _at += match ? 1 : 0;
        return match;
    }

    public void Expect(string op)
    {
        if (!Take(op))
            throw Bad($"expected '{op}', got {Current}");
    }

    public void Expect(TokenKind kind, string what)
    {
        if (Next().Kind != kind)
            throw Bad($"expected {what}");
    }

    public string Name() => Current.Kind == TokenKind.Name ? Next().Text : throw Bad($"expected a name, got {Current}");

    public BadInputException Bad(string what) => new($"chat template line {Current.Line}: {what}");
}
