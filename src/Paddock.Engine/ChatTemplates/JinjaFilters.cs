using System.Globalization;
using System.Numerics;
using System.Text;

namespace Paddock.Engine.ChatTemplates;

/// <summary>What may follow <c>|</c>.</summary>
internal static class JinjaFilters
{
    private static readonly HashSet<string> Names =
    [
        "trim", "length", "count", "upper", "lower", "title", "capitalize", "default", "d", "join", "tojson", "first", "last", "list", "string", "int",
        "float", "abs", "round", "replace", "sort", "reverse", "unique", "map", "select", "reject", "selectattr", "rejectattr", "sum", "min", "max",
        "items", "dictsort", "escape", "e", "safe", "striptags", "indent", "wordcount", "batch", "attr", "center",
    ];

    public static bool Exists(string name) => Names.Contains(name);

    public static object? Apply(string name, object? value, Arguments arguments, JinjaEvaluator evaluator, Budget budget)
    {
        budget.Charge(value is string given ? given.Length : value is List<object?> many ? many.Count : 0);
        switch (name)
        {
            case "trim":
                return PyText.Strip(Py.Str(value), arguments.Get(0, "chars") as string, true, true);
            case "length" or "count":
                return new BigInteger(value is string s ? PyText.Length(s) : value is null or bool or BigInteger or double
                    ? throw new TemplateError($"object of type '{Py.TypeName(value)}' has no len()") : Py.Iterate(value).Count);
            case "upper":
                return PyText.Upper(Py.Str(value));
            case "lower":
                return PyText.Lower(Py.Str(value));
            case "title":
                return PyText.Title(Py.Str(value), c => c is '-' or '(' or '{' or '[' or '<' || PyText.IsSpace(c));
            case "capitalize":
                return PyText.Capitalize(Py.Str(value));
            case "default" or "d":
                bool empty = value is Undefined || (Py.Truth(arguments.Get(1, "boolean", false)) && !Py.Truth(value));
                return empty ? arguments.Get(0, "default_value", "") : value;
            case "join":
                return Join(Attributes(value, arguments.Get(1, "attribute"), null, evaluator), Py.Str(arguments.Get(0, "d", "")), budget, strict: false);
            case "tojson":
                return JinjaJson.Write(value, arguments, budget);
            case "first":
                return Py.Iterate(value) is { Count: > 0 } items ? items[0] : new Undefined("no first item, sequence was empty.");
            case "last":
                return Py.Iterate(value) is { Count: > 0 } ordered ? ordered[^1] : new Undefined("no last item, sequence was empty.");
            case "list":
                return new List<object?>(Py.Iterate(value));
            case "string" or "safe":
                return Py.Str(value);
            case "int":
                return Whole(value, arguments.Get(0, "default", BigInteger.Zero));
            case "float":
                return Py.IsNumber(value, out _, out double real, out _) || (value is string digits && TryFloat(digits, out real)) ? real : arguments.Get(0, "default", 0.0);
            case "abs":
                return Py.IsNumber(value, out BigInteger whole, out real, out bool isReal)
                    ? isReal ? Math.Abs(real) : BigInteger.Abs(whole)
                    : throw new TemplateError($"bad operand type for abs(): '{Py.TypeName(value)}'");
            case "round":
                return Round(value, JinjaMethods.Count(arguments.Get(0, "precision", BigInteger.Zero), "precision"), Py.Str(arguments.Get(1, "method", "common")));
            case "replace":
                int limit = arguments.Get(2, "count") is { } count ? JinjaMethods.Count(count, "count") : -1;
                return JinjaMethods.Replace(Py.Str(value), Py.Str(arguments.Get(0, "old")), Py.Str(arguments.Get(1, "new")), limit, budget);
            case "sort":
                List<object?> sorted = JinjaSort.Sort(Py.Iterate(value), item => Key(item, arguments.Get(2, "attribute"), Py.Truth(arguments.Get(1, "case_sensitive", false)), evaluator),
                    Py.Truth(arguments.Get(0, "reverse", false)), budget);
                return sorted;
            case "reverse":
                List<object?> reversed = [.. Py.Iterate(value)];
                reversed.Reverse();
                return value is string ? string.Concat(reversed) : reversed;
            case "unique":
                return Unique(Py.Iterate(value), item => Key(item, arguments.Get(1, "attribute"), Py.Truth(arguments.Get(0, "case_sensitive", false)), evaluator));
            case "map":
                return Map(value, arguments, evaluator, budget);
            case "select" or "reject":
                return Pick(value, arguments, 0, name == "select", item => item, budget);
            case "selectattr" or "rejectattr":
                object? path = arguments.Get(0, "attribute");
                return Pick(value, arguments, 1, name == "selectattr", item => Attribute(item, path, evaluator), budget);
            case "sum":
                object? total = arguments.Get(1, "start", BigInteger.Zero);
                Scope none = new(null);
                foreach (object? item in Attributes(value, arguments.Get(0, "attribute"), null, evaluator))
                    total = evaluator.Evaluate(new Binary("+", new Constant(total, budget.Line), new Constant(item, budget.Line), budget.Line), none);
                return total;
            case "min" or "max":
                List<object?> order = JinjaSort.Sort(Py.Iterate(value), item => Key(item, arguments.Get(1, "attribute"), Py.Truth(arguments.Get(0, "case_sensitive", false)), evaluator), name == "max", budget);
                return order.Count > 0 ? order[0] : new Undefined("no aggregated item, sequence was empty.");
            case "items":
                return value is PyDict map ? map.Items.ConvertAll(p => (object?)new PyTuple([p.Key, p.Value]))
                    : value is Undefined ? new List<object?>() : throw new TemplateError("can only get item pairs from a mapping.");
            case "dictsort":
                return DictSort(value, arguments, evaluator, budget);
            case "escape" or "e":
                return Py.Str(value).Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal)
                    .Replace(">", "&gt;", StringComparison.Ordinal).Replace("'", "&#39;", StringComparison.Ordinal).Replace("\"", "&#34;", StringComparison.Ordinal);
            case "striptags":
                return StripTags(Py.Str(value));
            case "indent":
                return Indent(Py.Str(value), arguments, budget);
            case "wordcount":
                return new BigInteger(PyText.Split(Py.Str(value), null, -1, false).Count);
            case "batch":
                return Batch(Py.Iterate(value), JinjaMethods.Count(arguments.Get(0, "linecount"), "linecount"));
            case "attr":
                return value is PyDict ? new Undefined($"'dict object' has no attribute '{Py.Str(arguments.Get(0, "name"))}'") : evaluator.Attribute(value, Py.Str(arguments.Get(0, "name")));
            case "center":
                return JinjaMethods.Pad(Py.Str(value), JinjaMethods.Count(arguments.Get(0, "width", new BigInteger(80)), "width"), " ", 1, budget);
            default:
                throw new TemplateError($"no filter named '{name}'");
        }
    }

    public static string Join(IReadOnlyList<object?> items, string separator, Budget budget, bool strict)
    {
        StringBuilder text = new();
        for (int i = 0; i < items.Count; i++)
        {
            if (strict && items[i] is not string)
                throw new TemplateError($"sequence item {i}: expected str instance, {Py.TypeName(items[i])} found");
            string part = Py.Str(items[i]);
            budget.Charge(part.Length + (long)separator.Length);
            text.Append(i > 0 ? separator : "").Append(part);
        }
        return text.ToString();
    }

    private static List<object?> Map(object? value, Arguments arguments, JinjaEvaluator evaluator, Budget budget)
    {
        if (arguments.Positional.Count == 0)
            return Attributes(value, arguments.Get(0, "attribute") ?? throw new TemplateError("map requires a filter argument"),
                arguments.Named.TryGetValue("default", out object? absent) ? new Constant(absent, 0) : null, evaluator);
        string name = Py.Str(arguments.Positional[0]);
        Arguments rest = new(arguments.Positional[1..], arguments.Named);
        List<object?> mapped = [];
        foreach (object? item in Py.Iterate(value))
            mapped.Add(Apply(name, item, rest, evaluator, budget));
        return mapped;
    }

    private static List<object?> Pick(object? value, Arguments arguments, int testAt, bool keep, Func<object?, object?> part, Budget budget)
    {
        string? test = arguments.Positional.Count > testAt ? Py.Str(arguments.Positional[testAt]) : null;
        if (test != null && !JinjaTests.Exists(test))
            throw new TemplateError($"no test named '{test}'");
        Arguments rest = new(arguments.Positional[Math.Min(testAt + 1, arguments.Positional.Count)..], arguments.Named);
        List<object?> picked = [];
        foreach (object? item in Py.Iterate(value))
        {
            budget.Charge();
            if ((test == null ? Py.Truth(part(item)) : JinjaTests.Test(test, part(item), rest)) == keep)
                picked.Add(item);
        }
        return picked;
    }

    private static List<object?> Attributes(object? value, object? path, Constant? absent, JinjaEvaluator evaluator)
    {
        if (path == null)
            return [.. Py.Iterate(value)];
        List<object?> parts = [];
        foreach (object? item in Py.Iterate(value))
            parts.Add(Attribute(item, path, evaluator) is var part && part is Undefined && absent != null ? absent.Value : part);
        return parts;
    }

    // A path of names and numbers with dots.
    private static object? Attribute(object? item, object? path, JinjaEvaluator evaluator)
    {
        if (path is not string names)
            return evaluator.Item(item, path);
        foreach (string name in names.Split('.'))
            item = evaluator.Item(item, int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out int at) ? new BigInteger(at) : name);
        return item;
    }

    private static object? Key(object? item, object? path, bool caseSensitive, JinjaEvaluator evaluator)
    {
        object? key = path == null ? item : Attribute(item, path, evaluator);
        return key is string text && !caseSensitive ? PyText.Lower(text) : key;
    }

    private static List<object?> Unique(IReadOnlyList<object?> items, Func<object?, object?> key)
    {
        PyDict seen = new();
        List<object?> unique = [];
        foreach (object? item in items)
            if (!seen.TryGet(key(item), out _))
            {
                seen[key(item)] = true;
                unique.Add(item);
            }
        return unique;
    }

    private static List<object?> DictSort(object? value, Arguments arguments, JinjaEvaluator evaluator, Budget budget)
    {
        if (value is not PyDict dict)
            throw new TemplateError($"dictsort needs a dict, not '{Py.TypeName(value)}'");
        BigInteger by = Py.Str(arguments.Get(1, "by", "key")) == "value" ? 1 : 0;
        bool sensitive = Py.Truth(arguments.Get(0, "case_sensitive", false));
        return JinjaSort.Sort(dict.Items.ConvertAll(p => (object?)new PyTuple([p.Key, p.Value])), pair => Key(pair, by, sensitive, evaluator),
            Py.Truth(arguments.Get(2, "reverse", false)), budget);
    }

    private static object? Whole(object? value, object? absent)
    {
        if (Py.IsNumber(value, out BigInteger whole, out double real, out bool isReal))
            return !isReal ? whole : double.IsFinite(real) ? new BigInteger(Math.Truncate(real)) : absent;
        if (value is not string text || text.Length > 300)
            return absent;
        if (BigInteger.TryParse(PyText.Strip(text, null, true, true).Replace("_", "", StringComparison.Ordinal), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out whole))
            return whole;
        return TryFloat(text, out real) && double.IsFinite(real) ? new BigInteger(Math.Truncate(real)) : absent;
    }

    private static bool TryFloat(string text, out double value) => double.TryParse(PyText.Strip(text, null, true, true),
        NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out value);

    private static double Round(object? value, int precision, string method)
    {
        if (!Py.IsNumber(value, out _, out double real, out _))
            throw new TemplateError($"cannot round a '{Py.TypeName(value)}'");
        if (Math.Abs(precision) > 15)
            throw new TemplateError("round: precision must be from -15 to 15");
        double scale = Math.Pow(10, precision);
        return method switch
        {
            "ceil" => Math.Ceiling(real * scale) / scale,
            "floor" => Math.Floor(real * scale) / scale,
            "common" => precision >= 0 ? Math.Round(real, precision, MidpointRounding.ToEven) : Math.Round(real * scale) / scale,
            _ => throw new TemplateError("round: method must be common, ceil or floor"),
        };
    }

    private static string StripTags(string text)
    {
        StringBuilder kept = new();
        for (int i = 0; i < text.Length; i++)
        {
            int end = text[i] == '<' ? text.IndexOf('>', i) : -1;
            if (end < 0)
                kept.Append(text[i]);
            else
                i = end;
        }
        return string.Join(' ', PyText.Split(kept.ToString(), null, -1, false));
    }

    private static string Indent(string text, Arguments arguments, Budget budget)
    {
        string pad = arguments.Get(0, "width", new BigInteger(4)) is string given ? given
            : JinjaMethods.Pad("", JinjaMethods.Count(arguments.Get(0, "width", new BigInteger(4)), "width"), " ", 0, budget);
        bool first = Py.Truth(arguments.Get(1, "first", false)), blank = Py.Truth(arguments.Get(2, "blank", false));
        string[] lines = text.Split('\n');
        StringBuilder output = new();
        for (int i = 0; i < lines.Length; i++)
        {
            budget.Charge(pad.Length + (long)lines[i].Length);
            bool indent = i == 0 ? first : blank || lines[i].Length > 0;
            output.Append(i > 0 ? "\n" : "").Append(indent ? pad : "").Append(lines[i]);
        }
        return output.ToString();
    }

    private static List<object?> Batch(IReadOnlyList<object?> items, int size)
    {
        if (size < 1)
            throw new TemplateError("batch needs a positive size");
        List<object?> rows = [];
        for (int i = 0; i < items.Count; i++)
        {
            if (i % size == 0)
                rows.Add(new List<object?>());
            ((List<object?>)rows[^1]!).Add(items[i]);
        }
        return rows;
    }
}

/// <summary>Python's stable sort by a key.</summary>
internal static class JinjaSort
{
    public static List<object?> Sort(IReadOnlyList<object?> items, Func<object?, object?> key, bool descending, Budget budget)
    {
        (object? Key, object? Item)[] rows = new (object?, object?)[items.Count], spare = new (object?, object?)[items.Count];
        for (int i = 0; i < rows.Length; i++)
            rows[i] = (key(items[i]), items[i]);
        for (int width = 1; width < rows.Length; width *= 2)
        {
            for (int start = 0; start < rows.Length; start += 2 * width)
            {
                int middle = Math.Min(start + width, rows.Length), end = Math.Min(start + 2 * width, rows.Length), a = start, b = middle;
                for (int i = start; i < end; i++)
                {
                    budget.Charge();
                    // Equal keys keep their order, also when descending.
                    bool right = a == middle || (b < end && (descending ? Py.Compare(rows[b].Key, rows[a].Key, "<") > 0 : Py.Compare(rows[b].Key, rows[a].Key, "<") < 0));
                    spare[i] = right ? rows[b++] : rows[a++];
                }
            }
            (rows, spare) = (spare, rows);
        }
        List<object?> sorted = new(rows.Length);
        foreach ((_, object? item) in rows)
            sorted.Add(item);
        return sorted;
    }
}
