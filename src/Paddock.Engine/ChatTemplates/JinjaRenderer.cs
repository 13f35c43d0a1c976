using System.Numerics;
using System.Runtime.CompilerServices;
using System.Text;

namespace Paddock.Engine.ChatTemplates;

/// <summary><c>loop</c> inside a <c>for</c>.</summary>
internal sealed class LoopContext(IReadOnlyList<object?> items, int depth, Func<Arguments, object?> recurse)
{
    private object? _last;
    private bool _seen;

    public int Index { get; set; }

    public Func<Arguments, object?> Recurse { get; } = recurse;

    public object? Attribute(string name) => name switch
    {
        "index" => Whole(Index + 1),
        "index0" => Whole(Index),
        "revindex" => Whole(items.Count - Index),
        "revindex0" => Whole(items.Count - Index - 1),
        "first" => Index == 0,
        "last" => Index == items.Count - 1,
        "length" => Whole(items.Count),
        "depth" => Whole(depth),
        "depth0" => Whole(depth - 1),
        "previtem" => Index > 0 ? items[Index - 1] : new Undefined("there is no previous item"),
        "nextitem" => Index + 1 < items.Count ? items[Index + 1] : new Undefined("there is no next item"),
        "cycle" => new Callable(name, a => a.Positional.Count > 0
            ? a.Positional[Index % a.Positional.Count]
            : throw new TemplateError("no items for cycling given")),
        "changed" => new Callable(name, a => Changed(a)),
        _ => new Undefined($"'loop' has no attribute '{name}'"),
    };

    private bool Changed(Arguments arguments)
    {
        PyTuple now = new([.. arguments.Positional]);
        bool changed = !_seen || !Py.Equal(_last, now);
        (_seen, _last) = (true, now);
        return changed;
    }

    private static BigInteger Whole(int value) => new BigInteger(value);
}

/// <summary>Renders the statements of a template, once.</summary>
internal sealed class JinjaRenderer
{
    private const int MaxOutput = 32 << 20;
    private const int MaxCalls = 100;

    private readonly Budget _budget = new();
    private readonly JinjaEvaluator _evaluator;
    private int _calls;

    private JinjaRenderer() => _evaluator = new JinjaEvaluator(_budget);

    private enum Flow
    {
        Normal,
        Break,
        Continue,
    }

    /// <exception cref="BadInputException">The template raises, misuses a value, or spends its budget; with the line.</exception>
    public static string Render(List<Node> template, IReadOnlyDictionary<string, object?> variables)
    {
        JinjaRenderer renderer = new();
        Scope globals = new(null);
        globals["raise_exception"] = new Callable("raise_exception", a => throw new TemplateError(Py.Str(a.Get(0, "message"))));
        globals["namespace"] = new Callable("namespace", NewNamespace);
        globals["range"] = new Callable("range", renderer.Range);
        globals["dict"] = new Callable("dict", NewDict);
        foreach ((string name, object? value) in variables)
            globals[name] = value;
        StringBuilder output = new();
        try
        {
            renderer.Body(template, new Scope(globals), output);
            return output.ToString();
        }
        catch (TemplateError e)
        {
            throw new BadInputException($"chat template line {renderer._budget.Line}: {e.Message}", e);
        }
        catch (InsufficientExecutionStackException e)
        {
            throw new BadInputException($"chat template line {renderer._budget.Line}: nested too deeply", e);
        }
    }

    private Flow Body(List<Node> nodes, Scope scope, StringBuilder output)
    {
        foreach (Node node in nodes)
            if (Statement(node, scope, output) is not Flow.Normal and var flow)
                return flow;
        return Flow.Normal;
    }

    private Flow Statement(Node node, Scope scope, StringBuilder output)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        _budget.Charge();
        _budget.Line = node.Line;
        switch (node)
        {
            case DataNode data:
                Write(output, data.Text);
                break;
            case OutputNode print:
                Write(output, Py.Str(_evaluator.Evaluate(print.Value, scope)));
                break;
            case IfNode choice:
                foreach ((Expression test, List<Node> body) in choice.Branches)
                    if (Py.Truth(_evaluator.Evaluate(test, scope)))
                        return Body(body, scope, output);
                return Body(choice.Else, scope, output);
            case ForNode loop:
                Loop(loop, _evaluator.Evaluate(loop.Items, scope), scope, 1, output);
                break;
            case SetNode set:
                Assign(set.Target, _evaluator.Evaluate(set.Value, scope), scope);
                break;
            case SetBlockNode set:
                string text = Capture(set.Body, new Scope(scope));
                Assign(set.Target, set.Filter == null ? text : _evaluator.FilterBlock(set.Filter, text, scope), scope);
                break;
            case MacroNode macro:
                scope[macro.Name] = Macro(macro, scope);
                break;
            case CallBlockNode block:
                Scope inner = new(scope);
                object? target = _evaluator.Evaluate(block.Call.Target, scope);
                CallNode call = block.Call with { Target = new Constant(WithCaller(target, Macro(block.Caller, inner)), block.Line) };
                Write(output, Py.Str(_evaluator.Evaluate(call, scope)));
                break;
            case FilterBlockNode block:
                Write(output, Py.Str(_evaluator.FilterBlock(block.Filter, Capture(block.Body, new Scope(scope)), scope)));
                break;
            case WithNode with:
                Scope values = new(scope);
                foreach ((Expression name, Expression value) in with.Values)
                    Assign(name, _evaluator.Evaluate(value, values), values);
                return Body(with.Body, values, output);
            case GroupNode group:
                return Body(group.Body, new Scope(scope), output);
            case JumpNode jump:
                return jump.Break ? Flow.Break : Flow.Continue;
        }
        return Flow.Normal;
    }

    private void Loop(ForNode loop, object? iterable, Scope scope, int depth, StringBuilder output)
    {
        IReadOnlyList<object?> items = Py.Iterate(iterable);
        if (loop.Condition != null)
        {
            List<object?> kept = [];
            foreach (object? item in items)
            {
                Scope probe = new(scope);
                Assign(loop.Target, item, probe);
                if (Py.Truth(_evaluator.Evaluate(loop.Condition, probe)))
                    kept.Add(item);
            }
            items = kept;
        }
        LoopContext context = new(items, depth, Recurse);
        for (int i = 0; i < items.Count; i++)
        {
            _budget.Charge();
            context.Index = i;
            Scope inner = new(scope);
            inner["loop"] = context;
            Assign(loop.Target, items[i], inner);
            if (Body(loop.Body, inner, output) == Flow.Break)
                break;
        }
        if (items.Count == 0)
            Body(loop.Else, new Scope(scope), output);

        object? Recurse(Arguments arguments)
        {
            if (!loop.Recursive)
                throw new TemplateError("the loop must have the 'recursive' marker to be called");
            return Guarded(() =>
            {
                StringBuilder text = new();
                Loop(loop, arguments.Get(0, "iterable"), scope, depth + 1, text);
                return text.ToString();
            });
        }
    }

    private static void Assign(Expression target, object? value, Scope scope)
    {
        switch (target)
        {
            case NameNode name:
                scope[name.Name] = value;
                break;
            case AttributeNode { Target: NameNode owner } attribute:
                if (!scope.TryGet(owner.Name, out object? held) || held is not Namespace space)
                    throw new TemplateError($"cannot assign attribute on '{owner.Name}', which is no namespace");
                if (attribute.Name.StartsWith('_'))
                    throw new TemplateError($"namespace refuses the name '{attribute.Name}'");
                space.Attributes[attribute.Name] = value;
                break;
            case TupleNode tuple:
                IReadOnlyList<object?> parts = Py.Iterate(value);
                if (parts.Count != tuple.Items.Count)
                    throw new TemplateError($"expected {tuple.Items.Count} values to unpack, got {parts.Count}");
                for (int i = 0; i < parts.Count; i++)
                    Assign(tuple.Items[i], parts[i], scope);
                break;
        }
    }

    // Parameters by position, then by name; the rest is varargs and kwargs. Free names resolve where the macro stands, at the call.
    private Callable Macro(MacroNode macro, Scope home) => new(macro.Name, arguments => Guarded(() =>
    {
        Scope scope = new(home);
        Dictionary<string, object?> rest = new(arguments.Named);
        scope["caller"] = rest.Remove("caller", out object? caller) ? caller : new Undefined("no caller defined");
        for (int i = 0; i < macro.Parameters.Count; i++)
        {
            (string name, Expression? absent) = macro.Parameters[i];
            bool named = rest.Remove(name, out object? given);
            if (named && i < arguments.Positional.Count)
                throw new TemplateError($"macro '{macro.Name}' got two values for '{name}'");
            scope[name] = i < arguments.Positional.Count ? arguments.Positional[i] : named ? given
                : absent != null ? _evaluator.Evaluate(absent, scope) : new Undefined($"parameter '{name}' was not provided");
        }
        PyDict kwargs = new();
        foreach ((string name, object? value) in rest)
            kwargs[name] = value;
        int taken = Math.Min(macro.Parameters.Count, arguments.Positional.Count);
        scope["varargs"] = new PyTuple([.. arguments.Positional[taken..]]);
        scope["kwargs"] = kwargs;
        return Capture(macro.Body, scope);
    }));

    private static object? WithCaller(object? target, Callable caller) => target is Callable macro
        ? new Callable(macro.Name, a => macro.Call(a with { Named = new Dictionary<string, object?>(a.Named) { ["caller"] = caller } }))
        : target;

    private string Guarded(Func<string> call)
    {
        if (++_calls > MaxCalls)
            throw new TemplateError($"calls nested deeper than {MaxCalls}");
        string result = call();
        _calls--;
        return result;
    }

    private string Capture(List<Node> body, Scope scope)
    {
        StringBuilder text = new();
        Body(body, scope, text);
        return text.ToString();
    }

    private void Write(StringBuilder output, string text)
    {
        _budget.Charge(text.Length);
        if (output.Length + (long)text.Length > MaxOutput)
            throw new TemplateError($"the output is longer than {MaxOutput} characters");
        output.Append(text);
    }

    private List<object?> Range(Arguments arguments)
    {
        BigInteger[] bounds = arguments.Positional.ConvertAll(a => a is BigInteger n ? n : throw new TemplateError("range needs whole numbers")).ToArray();
        if (bounds.Length is < 1 or > 3)
            throw new TemplateError("range needs one to three numbers");
        BigInteger start = bounds.Length > 1 ? bounds[0] : 0, stop = bounds.Length > 1 ? bounds[1] : bounds[0], step = bounds.Length > 2 ? bounds[2] : 1;
        if (step.IsZero)
            throw new TemplateError("range step cannot be zero");
        List<object?> values = [];
        for (BigInteger i = start; step.Sign > 0 ? i < stop : i > stop; i += step)
        {
            if (values.Count == 100_000)
                throw new TemplateError("range too big; at most 100000 values");
            _budget.Charge();
            values.Add(i);
        }
        return values;
    }

    private static Namespace NewNamespace(Arguments arguments)
    {
        Namespace space = new();
        foreach ((string name, object? value) in arguments.Named)
            space.Attributes[name] = name.StartsWith('_') ? throw new TemplateError($"namespace refuses the name '{name}'") : value;
        return space;
    }

    private static PyDict NewDict(Arguments arguments)
    {
        PyDict dict = new();
        if (arguments.Positional.Count > 0)
        {
            object? given = arguments.Positional[0];
            foreach (object? pair in given is PyDict source ? source.Items.ConvertAll(p => (object?)new PyTuple([p.Key, p.Value])) : Py.Iterate(given))
                if (Py.Iterate(pair) is { Count: 2 } items)
                    dict[items[0]] = items[1];
                else
                    throw new TemplateError("dict needs pairs");
        }
        foreach ((string name, object? value) in arguments.Named)
            dict[name] = value;
        return dict;
    }
}
