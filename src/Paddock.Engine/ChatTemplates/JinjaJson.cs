using System.Numerics;
using System.Runtime.CompilerServices;
using System.Text;

namespace Paddock.Engine.ChatTemplates;

/// <summary>The <c>tojson</c> filter as chat templates have it: Python's <c>json.dumps</c> without escaping of HTML or of non-ASCII text.</summary>
internal static class JinjaJson
{
    private const int MaxIndent = 32;

    public static string Write(object? value, Arguments arguments, Budget budget)
    {
        int? indent = arguments.Named.GetValueOrDefault("indent") is { } given ? JinjaMethods.Count(given, "indent") : null;
        if (indent is < 0 or > MaxIndent)
            throw new TemplateError($"tojson: indent must be from 0 to {MaxIndent}");
        Writer writer = new(indent, Py.Truth(arguments.Named.GetValueOrDefault("ensure_ascii", false)),
            Py.Truth(arguments.Named.GetValueOrDefault("sort_keys", false)), budget);
        if (arguments.Named.GetValueOrDefault("separators") is { } separators)
            (writer.ItemSeparator, writer.KeySeparator) = Py.Iterate(separators) is [string item, string key] ? (item, key) : throw new TemplateError("tojson: separators must be two strings");
        writer.Value(value, 0);
        return writer.Text.ToString();
    }

    private sealed class Writer(int? indent, bool ascii, bool sortKeys, Budget budget)
    {
        public StringBuilder Text { get; } = new();

        public string ItemSeparator { get; set; } = indent == null ? ", " : ",";

        public string KeySeparator { get; set; } = ": ";

        public void Value(object? value, int depth)
        {
            RuntimeHelpers.EnsureSufficientExecutionStack();
            budget.Charge(value is string s ? s.Length : 0);
            switch (value)
            {
                case null or bool or BigInteger or double:
                    Text.Append(Scalar(value));
                    break;
                case string text:
                    Quote(text);
                    break;
                case List<object?> or PyTuple:
                    IReadOnlyList<object?> items = Py.Iterate(value);
                    Block('[', ']', items.Count, depth, i => Value(items[i], depth + 1));
                    break;
                case PyDict dict:
                    List<object?> pairs = dict.Items.ConvertAll(p => (object?)new PyTuple([p.Key, p.Value]));
                    if (sortKeys)
                        pairs = JinjaSort.Sort(pairs, p => ((PyTuple)p!).Items[0], false, budget);
                    Block('{', '}', pairs.Count, depth, i =>
                    {
                        object?[] pair = ((PyTuple)pairs[i]!).Items;
                        Quote(pair[0] as string ?? (pair[0] is null or bool or BigInteger or double ? Scalar(pair[0]) : throw new TemplateError("keys must be str, int, float, bool or None")));
                        Text.Append(KeySeparator);
                        Value(pair[1], depth + 1);
                    });
                    break;
                default:
                    throw new TemplateError($"Object of type {Py.TypeName(value)} is not JSON serializable");
            }
        }

        private void Block(char open, char close, int count, int depth, Action<int> item)
        {
            Text.Append(open);
            for (int i = 0; i < count; i++)
            {
                Text.Append(i > 0 ? ItemSeparator : "");
                Line(depth + 1);
                item(i);
            }
            if (count > 0)
                Line(depth);
            Text.Append(close);
        }

        private void Line(int depth)
        {
            if (indent is { } width)
                Text.Append('\n').Append(' ', width * depth);
        }

        private static string Scalar(object? value) => value switch
        {
            null => "null",
            bool flag => flag ? "true" : "false",
            double number when !double.IsFinite(number) => double.IsNaN(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity",
            _ => Py.Repr(value),
        };

        private void Quote(string text)
        {
            Text.Append('"');
            foreach (char c in text)
            {
                int simple = "\"\\\n\r\t\b\f".IndexOf(c, StringComparison.Ordinal);
                if (simple >= 0)
                    Text.Append('\\').Append("\"\\nrtbf"[simple]);
                else if (c < ' ' || (ascii && c > '~'))
                    Text.Append($"\\u{(int)c:x4}");
                else
                    Text.Append(c);
            }
            Text.Append('"');
        }
    }
}
