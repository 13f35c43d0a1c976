using System.Numerics;

namespace Paddock.Engine.ChatTemplates;

/// <summary>What may follow <c>is</c>.</summary>
internal static class JinjaTests
{
    private static readonly HashSet<string> Names =
    [
        "defined", "undefined", "none", "string", "number", "integer", "float", "boolean", "true", "false", "mapping", "sequence", "iterable",
        "callable", "even", "odd", "divisibleby", "eq", "equalto", "==", "ne", "!=", "lt", "lessthan", "<", "le", "<=", "gt", "greaterthan", ">",
        "ge", ">=", "in", "lower", "upper", "sameas", "filter", "test",
    ];

    public static bool Exists(string name) => Names.Contains(name);

    public static bool Test(string name, object? value, Arguments arguments) => name switch
    {
        "defined" => value is not Undefined,
        "undefined" => value is Undefined,
        "none" => value is null,
        "string" => value is string,
        "number" => value is bool or BigInteger or double,
        "integer" => value is BigInteger,
        "float" => value is double,
        "boolean" => value is bool,
        "true" => value is true,
        "false" => value is false,
        "mapping" => value is PyDict,
        "sequence" => value is string or List<object?> or PyTuple or PyDict or Undefined,
        "iterable" => value is string or List<object?> or PyTuple or PyDict or Undefined,
        "callable" => value is Callable,
        "even" => Remainder(value, 2).IsZero,
        "odd" => !Remainder(value, 2).IsZero,
        "divisibleby" => Remainder(value, First(arguments)).IsZero,
        "eq" or "equalto" or "==" => Py.Equal(value, First(arguments)),
        "ne" or "!=" => !Py.Equal(value, First(arguments)),
        "lt" or "lessthan" or "<" => Py.Compare(value, First(arguments), "<") < 0,
        "le" or "<=" => Py.Compare(value, First(arguments), "<=") <= 0,
        "gt" or "greaterthan" or ">" => Py.Compare(value, First(arguments), ">") > 0,
        "ge" or ">=" => Py.Compare(value, First(arguments), ">=") >= 0,
        "in" => JinjaEvaluator.Contains(First(arguments), value),
        "lower" => value is string s && s == PyText.Lower(s) && s != PyText.Upper(s),
        "upper" => value is string s && s == PyText.Upper(s) && s != PyText.Lower(s),
        "sameas" => ReferenceEquals(value, First(arguments)) || (value is bool or null && Equals(value, First(arguments))),
        "filter" => value is string s && JinjaFilters.Exists(s),
        "test" => value is string s && Exists(s),
        _ => throw new TemplateError($"no test named '{name}'"),
    };

    private static BigInteger Remainder(object? value, object? divisor)
    {
        if (value is not (BigInteger or bool) || !Py.IsNumber(value, out BigInteger a, out _, out _) || !Py.IsNumber(divisor, out BigInteger b, out _, out _))
            throw new TemplateError($"a remainder needs whole numbers, not '{Py.TypeName(value)}' and '{Py.TypeName(divisor)}'");
        return b.IsZero ? throw new TemplateError("integer modulo by zero") : a % b;
    }

    private static BigInteger Remainder(object? value, int divisor) => Remainder(value, new BigInteger(divisor));

    private static object? First(Arguments arguments) =>
        arguments.Positional.Count > 0 ? arguments.Positional[0] : throw new TemplateError("this test needs an argument");
}
