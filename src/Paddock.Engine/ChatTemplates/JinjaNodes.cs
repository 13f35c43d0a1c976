namespace Paddock.Engine.ChatTemplates;

/// <summary>A part of a template, with the line it stands on.</summary>
internal abstract record Node(int Line);

internal abstract record Expression(int Line) : Node(Line);

internal sealed record Constant(object? Value, int Line) : Expression(Line);

internal sealed record NameNode(string Name, int Line) : Expression(Line);

internal sealed record ListNode(List<Expression> Items, int Line) : Expression(Line);

internal sealed record TupleNode(List<Expression> Items, int Line) : Expression(Line);

internal sealed record DictNode(List<(Expression Key, Expression Value)> Items, int Line) : Expression(Line);

internal sealed record Unary(string Op, Expression Operand, int Line) : Expression(Line);

internal sealed record Binary(string Op, Expression Left, Expression Right, int Line) : Expression(Line);

internal sealed record Comparison(Expression First, List<(string Op, Expression Operand)> Rest, int Line) : Expression(Line);

internal sealed record Conditional(Expression Test, Expression Then, Expression? Else, int Line) : Expression(Line);

internal sealed record AttributeNode(Expression Target, string Name, int Line) : Expression(Line);

internal sealed record ItemNode(Expression Target, Expression Index, int Line) : Expression(Line);

internal sealed record SliceNode(Expression Target, Expression? Start, Expression? Stop, Expression? Step, int Line) : Expression(Line);

internal sealed record CallNode(Expression Target, ArgumentNodes Arguments, int Line) : Expression(Line);

/// <summary>A filter; without a target it is applied to a block's text.</summary>
internal sealed record FilterNode(Expression? Target, string Name, ArgumentNodes Arguments, int Line) : Expression(Line);

internal sealed record TestNode(Expression Target, string Name, ArgumentNodes Arguments, bool Negated, int Line) : Expression(Line);

internal sealed record ArgumentNodes(List<Expression> Positional, List<(string Name, Expression Value)> Named)
{
    public static ArgumentNodes None { get; } = new([], []);
}

internal sealed record DataNode(string Text, int Line) : Node(Line);

internal sealed record OutputNode(Expression Value, int Line) : Node(Line);

internal sealed record IfNode(List<(Expression Test, List<Node> Body)> Branches, List<Node> Else, int Line) : Node(Line);

internal sealed record ForNode(Expression Target, Expression Items, Expression? Condition, bool Recursive, List<Node> Body, List<Node> Else, int Line) : Node(Line);

internal sealed record SetNode(Expression Target, Expression Value, int Line) : Node(Line);

internal sealed record SetBlockNode(Expression Target, FilterNode? Filter, List<Node> Body, int Line) : Node(Line);

internal sealed record MacroNode(string Name, List<(string Name, Expression? Default)> Parameters, List<Node> Body, int Line) : Node(Line);

internal sealed record CallBlockNode(CallNode Call, MacroNode Caller, int Line) : Node(Line);

internal sealed record FilterBlockNode(FilterNode Filter, List<Node> Body, int Line) : Node(Line);

internal sealed record WithNode(List<(Expression Target, Expression Value)> Values, List<Node> Body, int Line) : Node(Line);

/// <summary>A block that only groups: <c>generation</c>, <c>block</c>.</summary>
internal sealed record GroupNode(List<Node> Body, int Line) : Node(Line);

internal sealed record JumpNode(bool Break, int Line) : Node(Line);
