using System.Globalization;
using System.Numerics;
using System.Text;

namespace Paddock.Engine.ChatTemplates;

internal enum TokenKind
{
    Data,
    VariableBegin,
    VariableEnd,
    BlockBegin,
    BlockEnd,
    Name,
    Text,
    Number,
    Operator,
    End,
}

/// <summary>A token: its kind, its text (data, name, operator, string content) or number, and its line from 1.</summary>
internal readonly record struct Token(TokenKind Kind, string Text, object? Value, int Line)
{
    public bool Is(string op) => Kind == TokenKind.Operator && Text == op;

    public bool IsName(string name) => Kind == TokenKind.Name && Text == name;

    public override string ToString() => Kind == TokenKind.End ? "end of template" : Kind.ToString() + " '" + Text + "'";
}

/// <summary>
/// Cuts a template into text and tokens. White space as chat templates are rendered: trim_blocks and lstrip_blocks on, one final line end
/// dropped, <c>-</c> and <c>+</c> at the inside of a tag.
/// </summary>
internal sealed class JinjaLexer
{
    private static readonly string[] Operators =
        ["//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=", ".", ":", "|", ",", ";"];

    private readonly string _source;
    private readonly List<Token> _tokens = [];
    private int _at;
    private int _line = 1;
    private int _lineAt;
    private bool _lineStart = true;

    private JinjaLexer(string source)
    {
        _source = source.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        if (_source.EndsWith('\n'))
            _source = _source[..^1];
    }

    /// <exception cref="BadInputException">A tag, comment or string without an end, or a character that begins nothing.</exception>
    public static List<Token> Tokenize(string source)
    {
        JinjaLexer lexer = new(source);
        lexer.Run();
        return lexer._tokens;
    }

    private void Run()
    {
        while (_at < _source.Length)
        {
            int open = NextOpening(_at);
            string data = _source[_at..open];
            if (open == _source.Length)
            {
                Add(TokenKind.Data, data);
                break;
            }
            char kind = _source[open + 1];
            char sign = open + 2 < _source.Length ? _source[open + 2] : '\0';
            if (sign == '-')
                data = PyText.Strip(data, null, false, true);
            else if (sign != '+' && kind != '{')
                data = StripLine(data);
            Add(TokenKind.Data, data);
            _at = open + (sign is '-' or '+' ? 3 : 2);
            if (kind == '#')
                SkipPast("#}", "comment");
            else if (kind == '%' && TryRaw())
                continue;
            else
                Tag(kind == '{' ? "}}" : "%}", kind == '{');
        }
        _tokens.Add(new Token(TokenKind.End, "", null, Line()));
    }

    private int NextOpening(int from)
    {
        for (int i = _source.IndexOf('{', from); i >= 0 && i + 1 < _source.Length; i = _source.IndexOf('{', i + 1))
            if (_source[i + 1] is '{' or '%' or '#')
                return i;
        return _source.Length;
    }

    // White space between the start of the line and a block or comment is dropped.
    private string StripLine(string data)
    {
        int start = data.LastIndexOf('\n') + 1;
        return (start > 0 || _lineStart) && PyText.Strip(data[start..], null, true, false).Length == 0 ? data[..start] : data;
    }

    private void SkipPast(string close, string what)
    {
        int end = _source.IndexOf(close, _at, StringComparison.Ordinal);
        if (end < 0)
            throw Bad($"{what} without its end '{close}'");
        char sign = end > _at ? _source[end - 1] : '\0';
        _at = end + close.Length;
        AfterBlock(sign);
    }

    // What the closing of a block or comment swallows: all white space after '-', else one line end unless '+'.
    private void AfterBlock(char sign)
    {
        _lineStart = false;
        if (sign == '-')
            SkipSpace();
        else if (sign != '+' && _at < _source.Length && _source[_at] == '\n')
            _at++;
        _lineStart = _at > 0 && _source[_at - 1] == '\n';
    }

    private bool TryRaw()
    {
        int at = _at;
        if (!Word(ref at, "raw") || !CloseOf(ref at, out char sign))
            return false;
        _at = at;
        if (sign == '-')
            SkipSpace();
        int start = _at;
        for (int open = _source.IndexOf("{%", start, StringComparison.Ordinal); open >= 0; open = _source.IndexOf("{%", open + 1, StringComparison.Ordinal))
        {
            int end = open + 2;
            char before = end < _source.Length ? _source[end] : '\0';
            end += before is '-' or '+' ? 1 : 0;
            if (!Word(ref end, "endraw") || !CloseOf(ref end, out char after))
                continue;
            string data = _source[start..open];
            _lineStart = false;
            Add(TokenKind.Data, before == '-' ? PyText.Strip(data, null, false, true) : before == '+' ? data : StripLine(data));
            _at = end;
            AfterBlock(after);
            return true;
        }
        throw Bad("'raw' without 'endraw'");
    }

    private bool Word(ref int at, string word)
    {
        while (at < _source.Length && PyText.IsSpace(_source[at]))
            at++;
        if (string.CompareOrdinal(_source, at, word, 0, word.Length) != 0)
            return false;
        at += word.Length;
        return true;
    }

    private bool CloseOf(ref int at, out char sign)
    {
        while (at < _source.Length && PyText.IsSpace(_source[at]))
            at++;
        sign = at < _source.Length ? _source[at] : '\0';
        int close = sign is '-' or '+' ? at + 1 : at;
        if (string.CompareOrdinal(_source, close, "%}", 0, 2) != 0)
            return false;
        at = close + 2;
        return true;
    }

    private void Tag(string close, bool variable)
    {
        Add(variable ? TokenKind.VariableBegin : TokenKind.BlockBegin, "");
        int depth = 0;
        while (true)
        {
            SkipSpace();
            if (_at >= _source.Length)
                throw Bad($"tag without its end '{close}'");
            char c = _source[_at];
            // A closing brace of a dict is not the end of the tag.
            int sign = c is '-' or '+' ? 1 : 0;
            if (depth == 0 && string.CompareOrdinal(_source, _at + sign, close, 0, 2) == 0 && !(variable && c == '+'))
            {
                Add(variable ? TokenKind.VariableEnd : TokenKind.BlockEnd, "");
                _at += sign + 2;
                if (!variable)
                    AfterBlock(c);
                else
                {
                    _lineStart = false;
                    if (c == '-')
                        SkipSpace();
                    _lineStart = _source[_at - 1] == '\n';
                }
                return;
            }
            if (c is '\'' or '"')
                QuotedText(c);
            else if (char.IsAsciiDigit(c))
                Number();
            else if (c == '_' || char.IsLetter(c))
            {
                int start = _at;
                while (_at < _source.Length && (_source[_at] == '_' || char.IsLetterOrDigit(_source[_at])))
                    _at++;
                Add(TokenKind.Name, _source[start.._at]);
            }
            else
            {
                string? op = Array.Find(Operators, o => string.CompareOrdinal(_source, _at, o, 0, o.Length) == 0);
                if (op == null)
                    throw Bad($"unexpected character '{c}'");
                depth += op is "(" or "[" or "{" ? 1 : op is ")" or "]" or "}" ? -1 : 0;
                if (depth < 0)
                    throw Bad($"unexpected '{op}'");
                Add(TokenKind.Operator, op);
                _at += op.Length;
            }
        }
    }

    private void QuotedText(char quote)
    {
        int start = _at++;
        StringBuilder text = new();
        while (true)
        {
            if (_at >= _source.Length)
                throw Bad($"string without its end {quote}");
            char c = _source[_at++];
            if (c == quote)
                break;
            if (c != '\\' || _at >= _source.Length)
            {
                text.Append(c);
                continue;
            }
            char escape = _source[_at++];
            int digits = escape switch { 'x' => 2, 'u' => 4, 'U' => 8, _ => 0 };
            if (digits > 0)
            {
                if (_at + digits > _source.Length
                    || !int.TryParse(_source.AsSpan(_at, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int code)
                    || code is < 0 or > 0x10FFFF)
                    throw Bad($"'\\{escape}' needs {digits} hexadecimal digits");
                _at += digits;
                text.Append(code is >= 0xD800 and <= 0xDFFF || code < 0x10000 ? ((char)code).ToString() : char.ConvertFromUtf32(code));
                continue;
            }
            int simple = "abfnrtv0\\'\"\n".IndexOf(escape, StringComparison.Ordinal);
            if (simple < 0)
                text.Append('\\').Append(escape);
            else if (escape != '\n')
                text.Append("\a\b\f\n\r\t\v\0\\'\""[simple]);
        }
        _tokens.Add(new Token(TokenKind.Text, text.ToString(), null, Line(start)));
    }

    private void Number()
    {
        int start = _at;
        int radix = _source[_at] == '0' && _at + 1 < _source.Length ? char.ToLowerInvariant(_source[_at + 1]) switch { 'x' => 16, 'o' => 8, 'b' => 2, _ => 10 } : 10;
        if (radix != 10)
        {
            BigInteger whole = 0;
            for (_at += 2; _at < _source.Length && (char.IsAsciiHexDigit(_source[_at]) || _source[_at] == '_'); _at++)
                if (_source[_at] != '_')
                {
                    int digit = Convert.ToInt32(_source[_at].ToString(), 16);
                    whole = digit < radix && _at - start < 300 ? whole * radix + digit : throw Bad("malformed number");
                }
            Push(whole);
            return;
        }
        Digits();
        bool real = false;
        if (_at + 1 < _source.Length && _source[_at] == '.' && char.IsAsciiDigit(_source[_at + 1]))
        {
            real = true;
            _at++;
            Digits();
        }
        if (_at < _source.Length && _source[_at] is 'e' or 'E')
        {
            int sign = _at + 1 < _source.Length && _source[_at + 1] is '+' or '-' ? 1 : 0;
            if (_at + 1 + sign < _source.Length && char.IsAsciiDigit(_source[_at + 1 + sign]))
            {
                real = true;
                _at += 1 + sign;
                Digits();
            }
        }
        string text = _source[start.._at].Replace("_", "", StringComparison.Ordinal);
        if (text.Length > 300)
            throw Bad("number with more than 300 digits");
        Push(real ? double.Parse(text, CultureInfo.InvariantCulture) : BigInteger.Parse(text, CultureInfo.InvariantCulture));

        void Digits()
        {
            while (_at < _source.Length && (char.IsAsciiDigit(_source[_at]) || _source[_at] == '_'))
                _at++;
        }

        void Push(object value) => _tokens.Add(new Token(TokenKind.Number, _source[start.._at], value, Line(start)));
    }

    private void SkipSpace()
    {
        while (_at < _source.Length && PyText.IsSpace(_source[_at]))
            _at++;
    }

    private void Add(TokenKind kind, string text)
    {
        if (kind != TokenKind.Data || text.Length > 0)
            _tokens.Add(new Token(kind, text, null, Line()));
    }

    private int Line() => Line(_at);

    // Positions only grow, so counting line ends from the last one is linear over the whole template.
    private int Line(int at)
    {
        if (at < _lineAt)
            return _line - _source.AsSpan(at, _lineAt - at).Count('\n');
        _line += _source.AsSpan(_lineAt, at - _lineAt).Count('\n');
        _lineAt = at;
        return _line;
    }

    private BadInputException Bad(string what) => new($"chat template line {Line()}: {what}");
}
