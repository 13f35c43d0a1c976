using System.Numerics;
using System.Runtime.CompilerServices;

namespace Paddock.Engine.ChatTemplates;

/// <summary>Names and their values; a loop, macro or <c>with</c> opens one inside another.</summary>
internal sealed class Scope(Scope? outer)
{
    private readonly Dictionary<string, object?> _values = [];

    public object? this[string name]
    {
        set => _values[name] = value;
    }

    public bool TryGet(string name, out object? value)
    {
        for (Scope? scope = this; scope != null; scope = scope.Outer)
            if (scope._values.TryGetValue(name, out value))
                return true;
        value = null;
        return false;
    }

    private Scope? Outer { get; } = outer;
}

/// <summary>What one rendering may spend: a template comes from a stranger. Every node costs one, every eight characters built cost one.</summary>
internal sealed class Budget
{
    private const long Steps = 5_000_000;

    private long _left = Steps;

    public int Line { get; set; }

    public void Charge(long characters = 0)
    {
        _left -= 1 + characters / 8;
        if (_left < 0)
            throw new TemplateError($"the template does not end within {Steps} steps");
    }
}

/// <summary>Values of expressions. No reflection: what a value offers is in the closed lists of this folder.</summary>
internal sealed class JinjaEvaluator(Budget budget)
{
    private const int MaxBits = 8192;

    public object? Evaluate(Expression node, Scope scope)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        budget.Charge();
        budget.Line = node.Line;
        switch (node)
        {
            case Constant constant:
                return constant.Value;
            case NameNode name:
                return scope.TryGet(name.Name, out object? value) ? value : new Undefined($"'{name.Name}' is undefined");
            case ListNode list:
                return EvaluateAll(list.Items, scope);
            case TupleNode tuple:
                return new PyTuple([.. EvaluateAll(tuple.Items, scope)]);
            case DictNode dict:
                PyDict made = new();
                foreach ((Expression key, Expression item) in dict.Items)
                    made[Evaluate(key, scope)] = Evaluate(item, scope);
                return made;
            case Unary unary:
                object? operand = Evaluate(unary.Operand, scope);
                return unary.Op == "not" ? !Py.Truth(operand) : Signed(unary.Op, operand);
            case Binary { Op: "and" } and:
                object? left = Evaluate(and.Left, scope);
                return Py.Truth(left) ? Evaluate(and.Right, scope) : left;
            case Binary { Op: "or" } or:
                left = Evaluate(or.Left, scope);
                return Py.Truth(left) ? left : Evaluate(or.Right, scope);
            case Binary binary:
                return Arithmetic(binary.Op, Evaluate(binary.Left, scope), Evaluate(binary.Right, scope));
            case Comparison comparison:
                return Compare(comparison, scope);
            case Conditional conditional:
                return Py.Truth(Evaluate(conditional.Test, scope)) ? Evaluate(conditional.Then, scope)
                    : conditional.Else != null ? Evaluate(conditional.Else, scope)
                    : new Undefined("the inline if-expression evaluated to false and no else section was defined");
            case AttributeNode attribute:
                return Attribute(Evaluate(attribute.Target, scope), attribute.Name);
            case ItemNode item:
                return Item(Evaluate(item.Target, scope), Evaluate(item.Index, scope));
            case SliceNode slice:
                return Slice(Evaluate(slice.Target, scope), Bound(slice.Start), Bound(slice.Stop), Bound(slice.Step));
            case CallNode call:
                object? target = Evaluate(call.Target, scope);
                return Call(target, Arguments(call.Arguments, scope), call.Line);
            case FilterNode filter:
                object? input = filter.Target == null ? "" : Evaluate(filter.Target, scope);
                return Filter(filter, input, scope);
            case TestNode test:
                object? tested = Evaluate(test.Target, scope);
                return JinjaTests.Test(test.Name, tested, Arguments(test.Arguments, scope)) != test.Negated;
            default:
                throw new TemplateError($"unsupported expression {node.GetType().Name}");
        }

        BigInteger? Bound(Expression? bound)
        {
            object? value = bound == null ? null : Evaluate(bound, scope);
            return value switch
            {
                null => null,
                BigInteger number => number,
                bool flag => flag ? BigInteger.One : BigInteger.Zero,
                _ => throw new TemplateError($"slice indices must be integers, not '{Py.TypeName(value)}'"),
            };
        }
    }

    /// <summary>Applies a filter, and those before it in a block's chain, to a value.</summary>
    public object? Filter(FilterNode filter, object? input, Scope scope) =>
        JinjaFilters.Apply(filter.Name, input, Arguments(filter.Arguments, scope), this, budget);

    /// <summary>A block's chain: its innermost filter has no target of its own.</summary>
    public object? FilterBlock(FilterNode filter, string text, Scope scope) =>
        Filter(filter, filter.Target is FilterNode inner ? FilterBlock(inner, text, scope) : text, scope);

    public object? Call(object? target, Arguments arguments, int line)
    {
        object? result = target switch
        {
            Callable callable => callable.Call(arguments),
            LoopContext loop => loop.Recurse(arguments),
            Undefined undefined => throw new TemplateError(undefined.Reason),
            _ => throw new TemplateError($"'{Py.TypeName(target)}' object is not callable"),
        };
        budget.Line = line;
        return result;
    }

    /// <summary><c>target.name</c>: what the value offers under that name, else its item.</summary>
    public object? Attribute(object? target, string name)
    {
        switch (target)
        {
            case Undefined undefined:
                throw new TemplateError(undefined.Reason);
            case LoopContext loop:
                return loop.Attribute(name);
            case Namespace space:
                return space.Attributes.TryGetValue(name, out object? held) ? held : Missing("namespace", name);
        }
        if (name.StartsWith("__", StringComparison.Ordinal))
            return new Undefined($"access to attribute '{name}' of '{Py.TypeName(target)}' object is unsafe.");
        if (JinjaMethods.Find(target, name, budget) is { } method)
            return method;
        if (target is PyDict dict && dict.TryGet(name, out object? value))
            return value;
        return Missing(Py.TypeName(target), name);
    }

    /// <summary><c>target[index]</c>, or for an index that is a name what <see cref="Attribute"/> gives.</summary>
    public object? Item(object? target, object? index)
    {
        switch (target)
        {
            case Undefined undefined:
                throw new TemplateError(undefined.Reason);
            case PyDict dict:
                if (!(index is List<object?> or PyDict) && dict.TryGet(index, out object? value))
                    return value;
                break;
            case List<object?> or PyTuple or string when index is BigInteger or bool:
                IReadOnlyList<object?> items = Py.Iterate(target);
                budget.Charge(target is string ? items.Count : 0);
                BigInteger at = index is BigInteger number ? number : (bool)index ? 1 : 0;
                at += at < 0 ? items.Count : 0;
                return at >= 0 && at < items.Count ? items[(int)at] : Missing(Py.TypeName(target), Py.Repr(index));
        }
        return index is string name ? Attribute(target, name) : Missing(Py.TypeName(target), Py.Repr(index));
    }

    /// <summary>Python's <c>item in container</c>.</summary>
    public static bool Contains(object? container, object? item)
    {
        switch (container)
        {
            case string text:
                return item is string part
                    ? text.Contains(part, StringComparison.Ordinal)
                    : throw new TemplateError($"'in <string>' requires string as left operand, not {Py.TypeName(item)}");
            case PyDict dict:
                return dict.TryGet(item, out _);
            case List<object?> or PyTuple or Undefined:
                foreach (object? other in Py.Iterate(container))
                    if (Py.Equal(other, item))
                        return true;
                return false;
            default:
                throw new TemplateError($"argument of type '{Py.TypeName(container)}' is not iterable");
        }
    }

    private static Undefined Missing(string type, string name) => new($"'{type} object' has no attribute '{name}'");

    private List<object?> EvaluateAll(List<Expression> nodes, Scope scope)
    {
        List<object?> values = new(nodes.Count);
        foreach (Expression node in nodes)
            values.Add(Evaluate(node, scope));
        return values;
    }

    private Arguments Arguments(ArgumentNodes nodes, Scope scope)
    {
        Dictionary<string, object?> named = [];
        List<object?> positional = EvaluateAll(nodes.Positional, scope);
        foreach ((string name, Expression value) in nodes.Named)
            named[name] = Evaluate(value, scope);
        return new Arguments(positional, named);
    }

    private bool Compare(Comparison comparison, Scope scope)
    {
        object? left = Evaluate(comparison.First, scope);
        foreach ((string op, Expression operand) in comparison.Rest)
        {
            object? right = Evaluate(operand, scope);
            budget.Charge(Size(left) + Size(right));
            bool holds = op switch
            {
                "==" => Py.Equal(left, right),
                "!=" => !Py.Equal(left, right),
                "in" => Contains(right, left),
                "not in" => !Contains(right, left),
                "<" => Py.Compare(left, right, op) < 0,
                "<=" => Py.Compare(left, right, op) <= 0,
                ">" => Py.Compare(left, right, op) > 0,
                _ => Py.Compare(left, right, op) >= 0,
            };
            if (!holds)
                return false;
            left = right;
        }
        return true;
    }

    private static long Size(object? value) => value is string text ? text.Length : value is List<object?> list ? 8L * list.Count : 0;

    private static object Signed(string op, object? operand)
    {
        if (!Py.IsNumber(operand, out BigInteger whole, out double real, out bool isReal))
            throw new TemplateError(operand is Undefined u ? u.Reason : $"bad operand type for unary {op}: '{Py.TypeName(operand)}'");
        return isReal ? op == "-" ? -real : real : op == "-" ? -whole : whole;
    }

    private object? Arithmetic(string op, object? a, object? b)
    {
        if (op == "~")
            return Joined(Py.Str(a), Py.Str(b));
        if ((a as Undefined ?? b as Undefined) is { } undefined)
            throw new TemplateError(undefined.Reason);
        if (Py.IsNumber(a, out BigInteger wholeA, out double realA, out bool isRealA) && Py.IsNumber(b, out BigInteger wholeB, out double realB, out bool isRealB))
            return isRealA || isRealB ? Real(op, realA, realB) : Whole(op, wholeA, wholeB);
        switch (op, a, b)
        {
            case ("+", string x, string y):
                return Joined(x, y);
            case ("+", List<object?> x, List<object?> y):
                budget.Charge(8L * (x.Count + y.Count));
                return new List<object?>([.. x, .. y]);
            case ("+", PyTuple x, PyTuple y):
                budget.Charge(8L * (x.Items.Length + y.Items.Length));
                return new PyTuple([.. x.Items, .. y.Items]);
            case ("*", string or List<object?>, BigInteger times):
                return Repeat(a, times);
            case ("*", BigInteger times, string or List<object?>):
                return Repeat(b, times);
            case ("+", string or List<object?> or PyTuple, _):
                throw new TemplateError($"can only concatenate {Py.TypeName(a)} (not \"{Py.TypeName(b)}\") to {Py.TypeName(a)}");
            default:
                throw new TemplateError($"unsupported operand type(s) for {op}: '{Py.TypeName(a)}' and '{Py.TypeName(b)}'");
        }
    }

    private string Joined(string a, string b)
    {
        budget.Charge(a.Length + (long)b.Length);
        return a + b;
    }

    private object Repeat(object? value, BigInteger times)
    {
        int count = times <= 0 ? 0 : times > 100_000_000 ? throw new TemplateError("a repetition of more than 100000000") : (int)times;
        if (value is string text)
        {
            budget.Charge((long)text.Length * count);
            return new System.Text.StringBuilder(text.Length * count).Insert(0, text, count).ToString();
        }
        List<object?> list = (List<object?>)value!, repeated = [];
        budget.Charge(8L * list.Count * count);
        for (int i = 0; i < count; i++)
            repeated.AddRange(list);
        return repeated;
    }

    private static double Real(string op, double a, double b)
    {
        if (op is "/" or "//" or "%" && b == 0)
            throw new TemplateError("division by zero");
        return op switch
        {
            "+" => a + b,
            "-" => a - b,
            "*" => a * b,
            "/" => a / b,
            "//" => Math.Floor(a / b),
            "%" => a - b * Math.Floor(a / b),
            _ => Math.Pow(a, b),
        };
    }

    private static object Whole(string op, BigInteger a, BigInteger b)
    {
        if (op is "/" or "//" or "%" && b.IsZero)
            throw new TemplateError("division by zero");
        if (op is "*" && a.GetBitLength() + b.GetBitLength() > MaxBits)
            throw new TemplateError($"a number of more than {MaxBits} bits");
        switch (op)
        {
            case "+":
                return a + b;
            case "-":
                return a - b;
            case "*":
                return a * b;
            case "/":
                return (double)a / (double)b;
            case "//" or "%":
                BigInteger quotient = BigInteger.DivRem(a, b, out BigInteger remainder);
                bool floor = !remainder.IsZero && remainder.Sign != b.Sign;
                return op == "//" ? floor ? quotient - 1 : quotient : floor ? remainder + b : remainder;
            default:
                if (b.Sign < 0)
                    return Math.Pow((double)a, (double)b);
                return b * a.GetBitLength() <= MaxBits ? BigInteger.Pow(a, (int)b) : throw new TemplateError($"a number of more than {MaxBits} bits");
        }
    }

    /// <summary>Python's slice of a string (by code points), list or tuple.</summary>
    private object? Slice(object? target, BigInteger? start, BigInteger? stop, BigInteger? step)
    {
        if (target is Undefined undefined)
            throw new TemplateError(undefined.Reason);
        if (target is not (string or List<object?> or PyTuple))
            throw new TemplateError($"'{Py.TypeName(target)}' object cannot be sliced");
        IReadOnlyList<object?> items = Py.Iterate(target);
        budget.Charge(8L * items.Count);
        int stride = (int)BigInteger.Max(-items.Count - 1, BigInteger.Min(items.Count + 1, step ?? 1));
        if (stride == 0)
            throw new TemplateError("slice step cannot be zero");
        int low = stride > 0 ? 0 : -1, high = stride > 0 ? items.Count : items.Count - 1;
        int from = Clamp(start, stride > 0 ? low : high), to = Clamp(stop, stride > 0 ? high : low);
        List<object?> cut = [];
        for (long i = from; stride > 0 ? i < to : i > to; i += stride)
            cut.Add(items[(int)i]);
        return target switch
        {
            string => string.Concat(cut),
            PyTuple => new PyTuple([.. cut]),
            _ => cut,
        };

        int Clamp(BigInteger? bound, int absent) => bound is not { } at
            ? absent
            : (int)BigInteger.Max(low, BigInteger.Min(high, at < 0 ? at + items.Count : at));
    }
}
