using System.Numerics;
using System.Text;

namespace Paddock.Engine.ChatTemplates;

/// <summary>Methods of strings, dicts and lists that only read: the sandbox is this list.</summary>
internal static class JinjaMethods
{
    public static Callable? Find(object? target, string name, Budget budget)
    {
        Func<Arguments, object?>? method = target switch
        {
            string text => Text(text, name, budget),
            PyDict dict => Dict(dict, name),
            List<object?> list => Items(list, name),
            PyTuple tuple => Items(tuple.Items, name),
            _ => null,
        };
        return method == null ? null : new Callable(name, method);
    }

    /// <summary>Every occurrence, or the first <paramref name="limit"/>, replaced; charged before anything is built.</summary>
    public static string Replace(string text, string old, string with, int limit, Budget budget)
    {
        StringBuilder output = new();
        int from = 0, done = 0;
        budget.Charge(text.Length);
        while ((limit < 0 || done < limit) && from <= text.Length && text.IndexOf(old, from, StringComparison.Ordinal) is >= 0 and var at)
        {
            budget.Charge(with.Length + 8);
            output.Append(text, from, at - from).Append(with);
            done++;
            from = at + old.Length;
            if (old.Length > 0)
                continue;
            if (at < text.Length)
                output.Append(text[at]);
            from = at + 1;
        }
        if (from < text.Length)
            output.Append(text, from, text.Length - from);
        return output.ToString();
    }

    /// <summary>A whole number that is small enough for an <see cref="int"/>; others are clamped.</summary>
    public static int Count(object? value, string what) => value switch
    {
        BigInteger number => (int)BigInteger.Max(-int.MaxValue, BigInteger.Min(int.MaxValue, number)),
        bool flag => flag ? 1 : 0,
        _ => throw new TemplateError($"{what} must be a whole number, not '{Py.TypeName(value)}'"),
    };

    public static string Pad(string text, int width, string fill, int left, Budget budget)
    {
        // left: how many of the missing characters go before the text, in halves
        int missing = Math.Max(0, width - PyText.Length(text));
        if (fill.Length != 1 || missing > 1_000_000)
            throw new TemplateError("padding needs one character and a width of at most 1000000");
        budget.Charge(missing);
        int before = left == 1 ? missing / 2 + (missing & width & 1) : left == 2 ? missing : 0;
        return new string(fill[0], before) + text + new string(fill[0], missing - before);
    }

    private static Func<Arguments, object?>? Text(string text, string name, Budget budget)
    {
        budget.Charge(text.Length);
        return name switch
        {
            "strip" => a => PyText.Strip(text, a.Get(0, "chars") as string, true, true),
            "lstrip" => a => PyText.Strip(text, a.Get(0, "chars") as string, true, false),
            "rstrip" => a => PyText.Strip(text, a.Get(0, "chars") as string, false, true),
            "split" => a => PyText.Split(text, a.Get(0, "sep") as string, Count(a.Get(1, "maxsplit", BigInteger.MinusOne), "maxsplit"), false),
            "rsplit" => a => PyText.Split(text, a.Get(0, "sep") as string, Count(a.Get(1, "maxsplit", BigInteger.MinusOne), "maxsplit"), true),
            "splitlines" => _ => PyText.Lines(text),
            "partition" => a => Partition(text, Part(a)),
            "upper" => _ => PyText.Upper(text),
            "lower" => _ => PyText.Lower(text),
            "title" => _ => PyText.Title(text, c => !char.IsLetter(c)),
            "capitalize" => _ => PyText.Capitalize(text),
            "swapcase" => _ => string.Create(text.Length, text, static (span, from) =>
            {
                for (int i = 0; i < span.Length; i++)
                    span[i] = char.IsUpper(from[i]) ? char.ToLowerInvariant(from[i]) : char.ToUpperInvariant(from[i]);
            }),
            "startswith" => a => Any(a, part => text.StartsWith(part, StringComparison.Ordinal)),
            "endswith" => a => Any(a, part => text.EndsWith(part, StringComparison.Ordinal)),
            "removeprefix" => a => text.StartsWith(Part(a), StringComparison.Ordinal) ? text[Part(a).Length..] : text,
            "removesuffix" => a => text.EndsWith(Part(a), StringComparison.Ordinal) ? text[..^Part(a).Length] : text,
            "replace" => a => Replace(text, Part(a), Part(a, 1), Count(a.Get(2, "count", BigInteger.MinusOne), "count"), budget),
            "find" => a => Position(text, text.IndexOf(Part(a), StringComparison.Ordinal)),
            "rfind" => a => Position(text, text.LastIndexOf(Part(a), StringComparison.Ordinal)),
            "index" => a => text.IndexOf(Part(a), StringComparison.Ordinal) is >= 0 and var at ? Position(text, at) : throw new TemplateError("substring not found"),
            "count" => a => new BigInteger(Part(a).Length == 0 ? PyText.Length(text) + 1 : text.AsSpan().Count(Part(a))),
            "join" => a => JinjaFilters.Join(Py.Iterate(a.Get(0, "iterable")), text, budget, strict: true),
            "isalpha" => _ => All(text, char.IsLetter),
            "isdigit" => _ => All(text, char.IsDigit),
            "isnumeric" => _ => All(text, char.IsNumber),
            "isalnum" => _ => All(text, char.IsLetterOrDigit),
            "isspace" => _ => All(text, PyText.IsSpace),
            "isupper" => _ => text == PyText.Upper(text) && text != PyText.Lower(text),
            "islower" => _ => text == PyText.Lower(text) && text != PyText.Upper(text),
            "zfill" => a => text.Length > 0 && text[0] is '-' or '+'
                ? text[..1] + Pad(text[1..], Count(a.Get(0, "width"), "width") - 1, "0", 2, budget)
                : Pad(text, Count(a.Get(0, "width"), "width"), "0", 2, budget),
            "center" => a => Pad(text, Count(a.Get(0, "width"), "width"), Py.Str(a.Get(1, "fillchar", " ")), 1, budget),
            "ljust" => a => Pad(text, Count(a.Get(0, "width"), "width"), Py.Str(a.Get(1, "fillchar", " ")), 0, budget),
            "rjust" => a => Pad(text, Count(a.Get(0, "width"), "width"), Py.Str(a.Get(1, "fillchar", " ")), 2, budget),
            _ => null,
        };
    }

    private static Func<Arguments, object?>? Dict(PyDict dict, string name) => name switch
    {
        "get" => a => dict.TryGet(a.Get(0, "key"), out object? value) ? value : a.Get(1, "default"),
        "items" => _ => dict.Items.ConvertAll(p => (object?)new PyTuple([p.Key, p.Value])),
        "keys" => _ => dict.Items.ConvertAll(p => p.Key),
        "values" => _ => dict.Items.ConvertAll(p => p.Value),
        "copy" => _ => dict,
        _ => null,
    };

    private static Func<Arguments, object?>? Items(IReadOnlyList<object?> items, string name) => name switch
    {
        "count" => a => new BigInteger(Where(items, a.Get(0, "value"), out _)),
        "index" => a => Where(items, a.Get(0, "value"), out int first) > 0 ? new BigInteger(first) : throw new TemplateError("value is not in list"),
        _ => null,
    };

    private static int Where(IReadOnlyList<object?> items, object? value, out int first)
    {
        int count = 0;
        first = -1;
        for (int i = items.Count - 1; i >= 0; i--)
            if (Py.Equal(items[i], value))
            {
                count++;
                first = i;
            }
        return count;
    }

    private static PyTuple Partition(string text, string separator)
    {
        int at = separator.Length > 0 ? text.IndexOf(separator, StringComparison.Ordinal) : throw new TemplateError("empty separator");
        return at < 0 ? new PyTuple([text, "", ""]) : new PyTuple([text[..at], separator, text[(at + separator.Length)..]]);
    }

    private static string Part(Arguments arguments, int at = 0) => arguments.Get(at, "") as string
        ?? throw new TemplateError("expected a string argument");

    private static bool Any(Arguments arguments, Func<string, bool> test)
    {
        object? given = arguments.Get(0, "prefix");
        foreach (object? part in given is PyTuple tuple ? tuple.Items : [given])
            if (test(part as string ?? throw new TemplateError($"expected a string or a tuple of them, not '{Py.TypeName(part)}'")))
                return true;
        return false;
    }

    private static bool All(string text, Func<char, bool> test)
    {
        foreach (char c in text)
            if (!test(c))
                return false;
        return text.Length > 0;
    }

    private static BigInteger Position(string text, int at) => new BigInteger(at < 0 ? -1 : PyText.Length(text[..at]));
}
