namespace Paddock.Engine.ChatTemplates;

/// <summary>Statements of a template by recursive descent; expressions are <see cref="ExpressionParser"/>'s.</summary>
internal sealed class JinjaParser
{
    private const int MaxDepth = 100;

    private readonly TokenReader _tokens;
    private readonly ExpressionParser _expressions;
    private int _depth;
    private int _loops;

    private JinjaParser(TokenReader tokens)
    {
        _tokens = tokens;
        _expressions = new ExpressionParser(tokens);
    }

    /// <exception cref="BadInputException">Anything outside the subset, with its line.</exception>
    public static List<Node> Parse(string source)
    {
        JinjaParser parser = new(new TokenReader(JinjaLexer.Tokenize(source)));
        return parser.Body([], out _);
    }

    /// <summary>Nodes up to one of the closing tags, whose opening and name are consumed; up to the end of the template without any.</summary>
    private List<Node> Body(string[] closings, out string closing)
    {
        if (++_depth > MaxDepth)
            throw _tokens.Bad($"blocks nested deeper than {MaxDepth}");
        List<Node> nodes = [];
        while (true)
        {
            Token token = _tokens.Current;
            switch (token.Kind)
            {
                case TokenKind.End when closings.Length == 0:
                    closing = "";
                    _depth--;
                    return nodes;
                case TokenKind.End:
                    throw _tokens.Bad($"unexpected end of template; expected '{string.Join("' or '", closings)}'");
                case TokenKind.Data:
                    _tokens.Next();
                    nodes.Add(new DataNode(token.Text, token.Line));
                    break;
                case TokenKind.VariableBegin:
                    _tokens.Next();
                    nodes.Add(new OutputNode(_expressions.Tuple(), token.Line));
                    _tokens.Expect(TokenKind.VariableEnd, "end of print statement");
                    break;
                default:
                    _tokens.Next();
                    string tag = _tokens.Name();
                    if (Array.IndexOf(closings, tag) >= 0)
                    {
                        closing = tag;
                        _depth--;
                        return nodes;
                    }
                    nodes.Add(Statement(tag, token.Line));
                    break;
            }
        }
    }

    private Node Statement(string tag, int line)
    {
        switch (tag)
        {
            case "if":
                return If(line);
            case "for":
                return For(line);
            case "set":
                return Set(line);
            case "macro":
                return Macro(_tokens.Name(), "endmacro", line);
            case "call":
                List<(string, Expression?)> parameters = _tokens.Current.Is("(") ? Parameters() : [];
                if (_expressions.Expression() is not CallNode call)
                    throw _tokens.Bad("'call' needs a call of a macro");
                BlockEnd();
                return new CallBlockNode(call, new MacroNode("caller", parameters, Closed("endcall"), line), line);
            case "filter":
                FilterNode filter = _expressions.Filters(null, first: true) as FilterNode ?? throw _tokens.Bad("expected a filter");
                BlockEnd();
                return new FilterBlockNode(filter, Closed("endfilter"), line);
            case "with":
                List<(Expression, Expression)> values = [];
                while (_tokens.Current.Kind != TokenKind.BlockEnd)
                {
                    if (values.Count > 0)
                        _tokens.Expect(",");
                    Expression target = _expressions.Target(allowAttribute: false);
                    _tokens.Expect("=");
                    values.Add((target, _expressions.Expression()));
                }
                BlockEnd();
                return new WithNode(values, Closed("endwith"), line);
            case "generation":
                BlockEnd();
                return new GroupNode(Closed("endgeneration"), line);
            case "block":
                _tokens.Name();
                BlockEnd();
                return new GroupNode(Closed("endblock", nameMayFollow: true), line);
            case "break" or "continue":
                if (_loops == 0)
                    throw _tokens.Bad($"'{tag}' outside of a loop");
                BlockEnd();
                return new JumpNode(tag == "break", line);
            default:
                throw _tokens.Bad($"unknown or unsupported tag '{tag}'");
        }
    }

    private IfNode If(int line)
    {
        List<(Expression, List<Node>)> branches = [];
        string closing = "if";
        while (closing is "if" or "elif")
        {
            Expression test = _expressions.Tuple();
            BlockEnd();
            branches.Add((test, Body(["elif", "else", "endif"], out closing)));
        }
        List<Node> otherwise = [];
        if (closing == "else")
        {
            BlockEnd();
            otherwise = Body(["endif"], out _);
        }
        BlockEnd();
        return new IfNode(branches, otherwise, line);
    }

    private ForNode For(int line)
    {
        Expression target = _expressions.Target(allowAttribute: false);
        if (!_tokens.TakeName("in"))
            throw _tokens.Bad("expected 'in'");
        Expression items = _expressions.Tuple(conditional: false);
        Expression? condition = _tokens.TakeName("if") ? _expressions.Expression() : null;
        bool recursive = _tokens.TakeName("recursive");
        BlockEnd();
        _loops++;
        List<Node> body = Body(["else", "endfor"], out string closing);
        _loops--;
        List<Node> otherwise = [];
        if (closing == "else")
        {
            BlockEnd();
            otherwise = Body(["endfor"], out _);
        }
        BlockEnd();
        return new ForNode(target, items, condition, recursive, body, otherwise, line);
    }

    private Node Set(int line)
    {
        Expression target = _expressions.Target(allowAttribute: true);
        if (_tokens.Take("="))
        {
            Expression value = _expressions.Tuple();
            BlockEnd();
            return new SetNode(target, value, line);
        }
        FilterNode? filter = _expressions.Filters(null, first: false) as FilterNode;
        BlockEnd();
        return new SetBlockNode(target, filter, Closed("endset"), line);
    }

    private MacroNode Macro(string name, string closing, int line)
    {
        List<(string, Expression?)> parameters = Parameters();
        BlockEnd();
        // A loop around the definition is not one around the body.
        (int loops, _loops) = (_loops, 0);
        List<Node> body = Closed(closing, nameMayFollow: true);
        _loops = loops;
        return new MacroNode(name, parameters, body, line);
    }

    private List<(string, Expression?)> Parameters()
    {
        List<(string, Expression?)> parameters = [];
        _tokens.Expect("(");
        while (!_tokens.Take(")"))
        {
            if (parameters.Count > 0)
                _tokens.Expect(",");
            string name = _tokens.Name();
            parameters.Add((name, _tokens.Take("=") ? _expressions.Expression() : null));
        }
        return parameters;
    }

    private List<Node> Closed(string closing, bool nameMayFollow = false)
    {
        List<Node> body = Body([closing], out _);
        if (nameMayFollow && _tokens.Current.Kind == TokenKind.Name)
            _tokens.Next();
        BlockEnd();
        return body;
    }

    private void BlockEnd() => _tokens.Expect(TokenKind.BlockEnd, "end of statement block");
}
