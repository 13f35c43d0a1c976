using System.Globalization;
using System.Numerics;
using System.Text;

namespace Paddock.Engine.ChatTemplates;

// Values of a template: null (None), bool, BigInteger, double, string, List<object?>, and the types below.

/// <summary>A name or item that is not there: empty, false, without items; using it further is an error.</summary>
internal sealed record Undefined(string Reason);

/// <summary>Python's tuple.</summary>
internal sealed record PyTuple(object?[] Items);

/// <summary>Python's dict: keys keep the order of insertion.</summary>
internal sealed class PyDict
{
    private readonly Dictionary<object, int> _index = new(KeyComparer.Instance);

    public List<KeyValuePair<object?, object?>> Items { get; } = [];

    public object? this[object? key]
    {
        set
        {
            if (_index.TryGetValue(Boxed(key), out int at))
                Items[at] = new(Items[at].Key, value);
            else
            {
                _index.Add(Boxed(key), Items.Count);
                Items.Add(new(key, value));
            }
        }
    }

    public bool TryGet(object? key, out object? value)
    {
        bool found = _index.TryGetValue(Boxed(key), out int at);
        value = found ? Items[at].Value : null;
        return found;
    }

    private static object Boxed(object? key) => key switch
    {
        null => KeyComparer.NoneKey,
        List<object?> or PyDict => throw new TemplateError($"unhashable type: '{Py.TypeName(key)}'"),
        bool flag => flag ? BigInteger.One : BigInteger.Zero,
        double number when number == Math.Floor(number) && !double.IsInfinity(number) => new BigInteger(number),
        _ => key,
    };

    private sealed class KeyComparer : IEqualityComparer<object>
    {
        public static readonly KeyComparer Instance = new();
        public static readonly object NoneKey = new();

        bool IEqualityComparer<object>.Equals(object? x, object? y) => ReferenceEquals(x, y) || Py.Equal(x, y);

        int IEqualityComparer<object>.GetHashCode(object key) => key is PyTuple tuple ? tuple.Items.Length : key.GetHashCode();
    }
}

/// <summary>The one thing a template may change: attributes of <c>namespace()</c>.</summary>
internal sealed class Namespace
{
    public Dictionary<string, object?> Attributes { get; } = [];
}

/// <summary>Arguments of a call.</summary>
internal sealed record Arguments(List<object?> Positional, Dictionary<string, object?> Named)
{
    /// <summary>The argument at a position or of a name.</summary>
    public object? Get(int position, string name, object? absent = null) =>
        position < Positional.Count ? Positional[position] : Named.TryGetValue(name, out object? value) ? value : absent;

    public bool Has(int position, string name) => position < Positional.Count || Named.ContainsKey(name);
}

/// <summary>Something a template can call.</summary>
internal sealed record Callable(string Name, Func<Arguments, object?> Call);

/// <summary>An error while a template runs; the renderer adds the line.</summary>
internal sealed class TemplateError(string message) : Exception(message);

/// <summary>Python's rules for values: truth, equality, order, text.</summary>
internal static class Py
{
    // A value may hold another many times over (x = [x, x], again and again), so walks over values are bounded on their own.
    private const int MaxSteps = 1_000_000;
    private const int MaxText = 8 << 20;

    public static string TypeName(object? value) => value switch
    {
        null => "NoneType",
        bool => "bool",
        BigInteger => "int",
        double => "float",
        string => "str",
        List<object?> => "list",
        PyTuple => "tuple",
        PyDict => "dict",
        Undefined => "Undefined",
        _ => "object",
    };

    public static bool Truth(object? value) => value switch
    {
        null or Undefined => false,
        bool flag => flag,
        BigInteger number => !number.IsZero,
        double number => number != 0,
        string text => text.Length > 0,
        List<object?> list => list.Count > 0,
        PyTuple tuple => tuple.Items.Length > 0,
        PyDict dict => dict.Items.Count > 0,
        _ => true,
    };

    /// <summary>A bool, int or float as a number; false for anything else.</summary>
    public static bool IsNumber(object? value, out BigInteger whole, out double real, out bool isReal)
    {
        (whole, real, isReal) = value switch
        {
            bool flag => (flag ? BigInteger.One : BigInteger.Zero, flag ? 1 : 0, false),
            BigInteger number => (number, (double)number, false),
            double number => (default, number, true),
            _ => (default, double.NaN, false),
        };
        return value is bool or BigInteger or double;
    }

    public static bool Equal(object? a, object? b)
    {
        int left = MaxSteps;
        return Equal(a, b, ref left);
    }

    private static bool Equal(object? a, object? b, ref int left)
    {
        if (--left < 0)
            throw new TemplateError($"a comparison of more than {MaxSteps} values");
        System.Runtime.CompilerServices.RuntimeHelpers.EnsureSufficientExecutionStack();
        if (IsNumber(a, out BigInteger wholeA, out double realA, out bool isRealA) && IsNumber(b, out BigInteger wholeB, out double realB, out bool isRealB))
            return isRealA || isRealB ? realA == realB : wholeA == wholeB;
        switch (a, b)
        {
            case (null, null) or (Undefined, Undefined):
                return true;
            case (string x, string y):
                return string.Equals(x, y, StringComparison.Ordinal);
            case (List<object?> x, List<object?> y):
                return Same(x, y, ref left);
            case (PyTuple x, PyTuple y):
                return Same(x.Items, y.Items, ref left);
            case (PyDict x, PyDict y):
                if (x.Items.Count != y.Items.Count)
                    return false;
                foreach ((object? key, object? value) in x.Items)
                    if (!y.TryGet(key, out object? other) || !Equal(value, other, ref left))
                        return false;
                return true;
            default:
                return ReferenceEquals(a, b);
        }
    }

    /// <summary>Order of two values of one kind; an error for others, as in Python.</summary>
    public static int Compare(object? a, object? b, string op)
    {
        if (IsNumber(a, out BigInteger wholeA, out double realA, out bool isRealA) && IsNumber(b, out BigInteger wholeB, out double realB, out bool isRealB))
            return isRealA || isRealB ? realA.CompareTo(realB) : wholeA.CompareTo(wholeB);
        if (a is string x && b is string y)
            return CompareText(x, y);
        if ((a is List<object?> && b is List<object?>) || (a is PyTuple && b is PyTuple))
        {
            IReadOnlyList<object?> left = a as List<object?> ?? (IReadOnlyList<object?>)((PyTuple)a).Items;
            IReadOnlyList<object?> right = b as List<object?> ?? (IReadOnlyList<object?>)((PyTuple)b).Items;
            for (int i = 0; i < Math.Min(left.Count, right.Count); i++)
                if (!Equal(left[i], right[i]))
                    return Compare(left[i], right[i], op);
            return left.Count.CompareTo(right.Count);
        }
        throw new TemplateError($"'{op}' not supported between instances of '{TypeName(a)}' and '{TypeName(b)}'");
    }

    /// <summary>What <c>{{ value }}</c> prints.</summary>
    public static string Str(object? value) => value switch
    {
        string text => text,
        Undefined => "",
        _ => Repr(value),
    };

    public static string Repr(object? value)
    {
        StringBuilder text = new();
        Repr(value, text);
        return text.ToString();
    }

    /// <summary>Shortest text that reads back as the same number, in Python's layout.</summary>
    public static string Float(double value)
    {
        if (double.IsNaN(value) || double.IsInfinity(value))
            return double.IsNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
        string text = value.ToString("E16", CultureInfo.InvariantCulture);
        for (int digits = 0; digits < 17; digits++)
        {
            text = value.ToString("E" + digits.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
            if (double.Parse(text, CultureInfo.InvariantCulture) == value)
                break;
        }
        int mark = text.IndexOf('E', StringComparison.Ordinal);
        int exponent = int.Parse(text.AsSpan(mark + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        string sign = text[0] == '-' ? "-" : "";
        string mantissa = text[sign.Length..mark].Replace(".", "", StringComparison.Ordinal);
        if (exponent is < -4 or >= 16)
        {
            string fraction = mantissa.Length > 1 ? "." + mantissa[1..] : "";
            return $"{sign}{mantissa[0]}{fraction}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}";
        }
        if (exponent < 0)
            return $"{sign}0.{new string('0', -exponent - 1)}{mantissa}";
        mantissa = mantissa.PadRight(exponent + 2, '0');
        return $"{sign}{mantissa[..(exponent + 1)]}.{mantissa[(exponent + 1)..]}";
    }

    /// <summary>Items in order, as a <c>for</c> sees them.</summary>
    public static IReadOnlyList<object?> Iterate(object? value) => value switch
    {
        List<object?> list => list,
        PyTuple tuple => tuple.Items,
        string text => PyText.Characters(text),
        PyDict dict => dict.Items.ConvertAll(pair => pair.Key),
        Undefined => [],
        _ => throw new TemplateError($"'{TypeName(value)}' object is not iterable"),
    };

    private static void Repr(object? value, StringBuilder text)
    {
        if (text.Length > MaxText)
            throw new TemplateError($"a value whose text is longer than {MaxText} characters");
        System.Runtime.CompilerServices.RuntimeHelpers.EnsureSufficientExecutionStack();
        switch (value)
        {
            case null:
                text.Append("None");
                break;
            case bool flag:
                text.Append(flag ? "True" : "False");
                break;
            case BigInteger number:
                text.Append(number.ToString(CultureInfo.InvariantCulture));
                break;
            case double number:
                text.Append(Float(number));
                break;
            case string s:
                PyText.Quote(s, text);
                break;
            case List<object?> list:
                Sequence(list, "[", "]");
                break;
            case PyTuple tuple:
                Sequence(tuple.Items, "(", tuple.Items.Length == 1 ? ",)" : ")");
                break;
            case PyDict dict:
                text.Append('{');
                for (int i = 0; i < dict.Items.Count; i++)
                {
                    text.Append(i > 0 ? ", " : "");
                    Repr(dict.Items[i].Key, text);
                    text.Append(": ");
                    Repr(dict.Items[i].Value, text);
                }
                text.Append('}');
                break;
            case Undefined:
                text.Append("Undefined");
                break;
            case Callable callable:
                text.Append("<Macro '").Append(callable.Name).Append("'>");
                break;
            default:
                text.Append("<object>");
                break;
        }

        void Sequence(IReadOnlyList<object?> items, string open, string close)
        {
            text.Append(open);
            for (int i = 0; i < items.Count; i++)
            {
                text.Append(i > 0 ? ", " : "");
                Repr(items[i], text);
            }
            text.Append(close);
        }
    }

    private static bool Same(IReadOnlyList<object?> x, IReadOnlyList<object?> y, ref int left)
    {
        if (x.Count != y.Count)
            return false;
        for (int i = 0; i < x.Count; i++)
            if (!Equal(x[i], y[i], ref left))
                return false;
        return true;
    }

    // By code points, so astral characters sort after U+FFFF.
    private static int CompareText(string x, string y)
    {
        int[] a = PyText.CodePoints(x), b = PyText.CodePoints(y);
        return a.AsSpan().SequenceCompareTo(b);
    }
}
