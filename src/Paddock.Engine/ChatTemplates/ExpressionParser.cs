using System.Numerics;

namespace Paddock.Engine.ChatTemplates;

/// <summary>Expressions, with Jinja's precedence: if, or, and, not, comparison, + -, ~, * / // %, **, sign, postfix, filter and test.</summary>
internal sealed class ExpressionParser(TokenReader tokens)
{
    private const int MaxDepth = 100;
    private const int MaxChain = 500;

    private int _depth;

    /// <summary>An expression, or several with commas: a tuple.</summary>
    public Expression Tuple(bool conditional = true)
    {
        int line = tokens.Current.Line;
        Expression first = Next();
        if (!tokens.Current.Is(","))
            return first;
        List<Expression> items = [first];
        while (tokens.Take(",") && !AtEnd())
            items.Add(Next());
        return new TupleNode(items, line);

        Expression Next() => conditional ? Expression() : Or();
        bool AtEnd() => tokens.Current.Kind is TokenKind.VariableEnd or TokenKind.BlockEnd || tokens.Current.Is(")") || tokens.Current.IsName("in");
    }

    /// <summary>What an assignment or loop may name.</summary>
    public Expression Target(bool allowAttribute)
    {
        int line = tokens.Current.Line;
        List<Expression> names = [];
        bool parenthesis = tokens.Take("("), tuple = parenthesis;
        do
        {
            if (names.Count > 0 && tokens.Current.Kind != TokenKind.Name)
                break;
            string name = tokens.Name();
            if (name is "true" or "false" or "none" or "True" or "False" or "None")
                throw tokens.Bad($"cannot assign to '{name}'");
            Expression target = new NameNode(name, line);
            names.Add(allowAttribute && tokens.Take(".") ? new AttributeNode(target, tokens.Name(), line) : target);
            tuple |= tokens.Current.Is(",");
        }
        while (tokens.Take(","));
        if (parenthesis)
            tokens.Expect(")");
        return tuple ? new TupleNode(names, line) : names[0];
    }

    public Expression Expression()
    {
        if (++_depth > MaxDepth)
            throw tokens.Bad($"expressions nested deeper than {MaxDepth}");
        Expression value = Or();
        for (int chain = 0; tokens.TakeName("if"); Guard(ref chain))
        {
            Expression test = Or();
            value = new Conditional(test, value, tokens.TakeName("else") ? Expression() : null, value.Line);
        }
        _depth--;
        return value;
    }

    private Expression Or() => Chain(And, t => t.IsName("or"));

    private Expression And() => Chain(Not, t => t.IsName("and"));

    private Expression Not()
    {
        int line = tokens.Current.Line;
        if (!tokens.TakeName("not"))
            return Compare();
        if (++_depth > MaxDepth)
            throw tokens.Bad($"expressions nested deeper than {MaxDepth}");
        Unary not = new("not", Not(), line);
        _depth--;
        return not;
    }

    private Expression Compare()
    {
        Expression first = Sum();
        List<(string, Expression)> rest = [];
        while (true)
        {
            Token token = tokens.Current;
            string? op = token.Kind == TokenKind.Operator && token.Text is "==" or "!=" or "<" or "<=" or ">" or ">=" ? token.Text
                : token.IsName("in") ? "in"
                : token.IsName("not") && tokens.Ahead.IsName("in") ? "not in" : null;
            if (op == null)
                return rest.Count == 0 ? first : new Comparison(first, rest, first.Line);
            tokens.Next();
            if (op == "not in")
                tokens.Next();
            rest.Add((op, Sum()));
        }
    }

    private Expression Sum() => Chain(Concat, t => t.Is("+") || t.Is("-"));

    private Expression Concat() => Chain(Product, t => t.Is("~"));

    private Expression Product() => Chain(Power, t => t.Is("*") || t.Is("/") || t.Is("//") || t.Is("%"));

    private Expression Power() => Chain(() => Signed(filters: true), t => t.Is("**"));

    private Expression Chain(Func<Expression> operand, Func<Token, bool> isOp)
    {
        Expression left = operand();
        for (int chain = 0; isOp(tokens.Current); Guard(ref chain))
        {
            Token op = tokens.Next();
            left = new Binary(op.Text, left, operand(), op.Line);
        }
        return left;
    }

    private Expression Signed(bool filters)
    {
        if (++_depth > MaxDepth)
            throw tokens.Bad($"expressions nested deeper than {MaxDepth}");
        Token token = tokens.Current;
        Expression value = tokens.Take("-") || tokens.Take("+") ? new Unary(token.Text, Signed(filters: false), token.Line) : Primary();
        value = Postfix(value);
        _depth--;
        return filters ? Filters(value, first: false) ?? value : value;
    }

    private Expression Primary()
    {
        Token token = tokens.Next();
        switch (token.Kind)
        {
            case TokenKind.Name:
                return token.Text switch
                {
                    "true" or "True" => new Constant(true, token.Line),
                    "false" or "False" => new Constant(false, token.Line),
                    "none" or "None" => new Constant(null, token.Line),
                    _ => new NameNode(token.Text, token.Line),
                };
            case TokenKind.Text:
                string text = token.Text;
                while (tokens.Current.Kind == TokenKind.Text)
                    text += tokens.Next().Text;
                return new Constant(text, token.Line);
            case TokenKind.Number:
                return new Constant(token.Value, token.Line);
            case TokenKind.Operator when token.Text == "(":
                if (tokens.Take(")"))
                    return new TupleNode([], token.Line);
                Expression inner = Tuple();
                tokens.Expect(")");
                return inner;
            case TokenKind.Operator when token.Text == "[":
                List<Expression> items = [];
                while (!tokens.Take("]"))
                {
                    if (items.Count > 0)
                        tokens.Expect(",");
                    if (!tokens.Current.Is("]"))
                        items.Add(Expression());
                }
                return new ListNode(items, token.Line);
            case TokenKind.Operator when token.Text == "{":
                List<(Expression, Expression)> pairs = [];
                while (!tokens.Take("}"))
                {
                    if (pairs.Count > 0)
                        tokens.Expect(",");
                    if (tokens.Current.Is("}"))
                        continue;
                    Expression key = Expression();
                    tokens.Expect(":");
                    pairs.Add((key, Expression()));
                }
                return new DictNode(pairs, token.Line);
            default:
                throw tokens.Bad($"unexpected {token}");
        }
    }

    private Expression Postfix(Expression value)
    {
        for (int chain = 0; ; Guard(ref chain))
        {
            Token token = tokens.Current;
            if (tokens.Take("."))
                value = tokens.Current.Kind == TokenKind.Number && tokens.Current.Value is BigInteger
                    ? new ItemNode(value, new Constant(tokens.Next().Value, token.Line), token.Line)
                    : new AttributeNode(value, tokens.Name(), token.Line);
            else if (tokens.Take("["))
                value = Subscript(value, token.Line);
            else if (tokens.Current.Is("("))
                value = new CallNode(value, CallArguments(), token.Line);
            else
                return value;
        }
    }

    private Expression Subscript(Expression value, int line)
    {
        Expression? start = tokens.Current.Is(":") ? null : Expression();
        if (start != null && tokens.Take("]"))
            return new ItemNode(value, start, line);
        tokens.Expect(":");
        Expression? stop = tokens.Current.Is(":") || tokens.Current.Is("]") ? null : Expression();
        Expression? step = tokens.Take(":") && !tokens.Current.Is("]") ? Expression() : null;
        tokens.Expect("]");
        return new SliceNode(value, start, stop, step, line);
    }

    /// <summary>Filters and tests after a value. Without one: the chain of a block, whose first name has no bar before it.</summary>
    public Expression? Filters(Expression? value, bool first)
    {
        for (int chain = 0; ; Guard(ref chain))
        {
            int line = tokens.Current.Line;
            if (first || tokens.Take("|"))
            {
                first = false;
                string name = tokens.Name();
                while (tokens.Take("."))
                    name += "." + tokens.Name();
                if (!JinjaFilters.Exists(name))
                    throw tokens.Bad($"no filter named '{name}'");
                value = new FilterNode(value, name, tokens.Current.Is("(") ? CallArguments() : ArgumentNodes.None, line);
            }
            else if (value != null && tokens.TakeName("is"))
                value = Test(value, line);
            else if (value != null && tokens.Current.Is("("))
                value = new CallNode(value, CallArguments(), line);
            else
                return value;
        }
    }

    private TestNode Test(Expression value, int line)
    {
        bool negated = tokens.TakeName("not");
        string name = tokens.Name();
        if (!JinjaTests.Exists(name))
            throw tokens.Bad($"no test named '{name}'");
        ArgumentNodes arguments = ArgumentNodes.None;
        Token token = tokens.Current;
        if (token.Is("("))
            arguments = CallArguments();
        else if (token.Kind is TokenKind.Text or TokenKind.Number || token.Is("[") || token.Is("{")
            || (token.Kind == TokenKind.Name && token.Text is not ("else" or "or" or "and" or "is" or "if" or "in" or "not" or "recursive")))
            arguments = new ArgumentNodes([Postfix(Primary())], []);
        return new TestNode(value, name, arguments, negated, line);
    }

    private ArgumentNodes CallArguments()
    {
        tokens.Expect("(");
        ArgumentNodes arguments = new([], []);
        while (!tokens.Take(")"))
        {
            if (arguments.Positional.Count + arguments.Named.Count > 0)
            {
                tokens.Expect(",");
                if (tokens.Take(")"))
                    break;
            }
            if (tokens.Current.Kind == TokenKind.Name && tokens.Ahead.Is("="))
            {
                string name = tokens.Name();
                tokens.Next();
                arguments.Named.Add((name, Expression()));
            }
            else if (arguments.Named.Count > 0)
                throw tokens.Bad("a positional argument after a named one");
            else
                arguments.Positional.Add(Expression());
        }
        return arguments;
    }

    private void Guard(ref int chain)
    {
        if (++chain > MaxChain)
            throw tokens.Bad($"more than {MaxChain} operators in a row");
    }
}
