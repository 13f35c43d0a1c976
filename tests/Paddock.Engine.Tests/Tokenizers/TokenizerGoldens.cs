using System.Text.Json;
using Paddock.Engine.Tokenizers;

namespace Paddock.Engine.Tests.Tokenizers;

/// <summary>Reads the golden files of one tokenizer and compares every row.</summary>
internal static class TokenizerGoldens
{
    public static string Root { get; } = Path.Combine(AppContext.BaseDirectory, "Golden", "tokenizers");

    public static Dictionary<string, string> Strings { get; } = ReadStrings();

    public static IEnumerable<JsonElement> Rows(string path)
    {
        foreach (string line in File.ReadLines(path))
            if (line.Length > 0)
                yield return JsonDocument.Parse(line).RootElement;
    }

    /// <summary>
    /// Ids without and with special tokens, token strings, and both decodings of every string. Rows with ids from
    /// <paramref name="renumberedFrom"/> on, which the reference gave to other tokens than the file, are not decoded.
    /// </summary>
    public static int CheckEncode(Tokenizer tokenizer, string folder, int renumberedFrom = int.MaxValue, string? except = null)
    {
        int rows = 0;
        foreach (JsonElement row in Rows(Path.Combine(folder, "encode.jsonl")))
        {
            string id = row.GetProperty("id").GetString()!;
            if (id == except)
                continue;
            string text = Strings[id];
            int[] ids = Ints(row, "ids")!, special = Ints(row, "sp") ?? ids;
            Equal(ids, tokenizer.Encode(text, addSpecialTokens: false), id);
            Equal(special, tokenizer.Encode(text), id + " with special tokens");
            rows++;
            if (ids.Any(i => i >= renumberedFrom))
                continue;
            string decoded = Text(row, "dec") ?? text, skipped = Text(row, "decs") ?? decoded;
            Equal(decoded, tokenizer.Decode(ids), id + " decoded");
            Equal(skipped, tokenizer.Decode(ids, skipSpecialTokens: true), id + " decoded without special tokens");
            if (renumberedFrom == int.MaxValue && Text(row, "decsp") is { } all)
                Equal(all, tokenizer.Decode(special), id + " with special tokens, decoded");
            if (row.TryGetProperty("spmask", out _))
                Equal(Ints(row, "spmask")!, SpecialMask(ids, special), id + " special mask");
            if (row.TryGetProperty("tok", out JsonElement tokens))
                for (int i = 0; i < ids.Length; i++)
                    if (!tokenizer.AddedTokens.Any(a => a.Id == ids[i]))
                        Equal(tokens[i].GetString()!, tokenizer.IdToToken(ids[i])!, $"{id} token {i}");
        }
        return rows;
    }

    /// <summary>Both decodings and both streams, step by step, of every id list.</summary>
    public static int CheckDecode(Tokenizer tokenizer, string folder)
    {
        int rows = 0;
        foreach (JsonElement row in Rows(Path.Combine(folder, "decode.jsonl")))
        {
            string id = row.GetProperty("k").GetString()!;
            int[] ids = Ints(row, "ids")!;
            string decoded = row.GetProperty("dec").GetString()!;
            Equal(decoded, tokenizer.Decode(ids), id);
            Equal(Text(row, "decs") ?? decoded, tokenizer.Decode(ids, skipSpecialTokens: true), id + " without special tokens");
            JsonElement steps = row.GetProperty("st");
            CheckStream(tokenizer, ids, steps, skip: false, id + " stream");
            CheckStream(tokenizer, ids, row.TryGetProperty("sts", out JsonElement skipping) ? skipping : steps, skip: true, id + " stream without special tokens");
            rows++;
        }
        return rows;
    }

    public static int[]? Ints(JsonElement row, string key) =>
        row.TryGetProperty(key, out JsonElement list) ? [.. list.EnumerateArray().Select(e => e.GetInt32())] : null;

    private static void CheckStream(Tokenizer tokenizer, int[] ids, JsonElement steps, bool skip, string what)
    {
        StreamingDecoder stream = new(tokenizer, skip);
        string all = "";
        for (int i = 0; i < ids.Length; i++)
        {
            string? shown = stream.Push(ids[i]);
            Equal(steps[i].GetString() ?? "(none)", shown ?? "(none)", $"{what}, step {i}");
            all += shown;
        }
        Equal(tokenizer.Decode(ids, skip), all + stream.Flush(), what + ", whole");
    }

    // Special tokens stand around the text: ones where the longer list has what the shorter has not.
    private static int[] SpecialMask(int[] ids, int[] special)
    {
        int before = 0;
        while (special.Length - before > ids.Length && !special.Skip(before).Take(ids.Length).SequenceEqual(ids))
            before++;
        return [.. special.Select((_, i) => i < before || i >= before + ids.Length ? 1 : 0)];
    }

    private static string? Text(JsonElement row, string key) => row.TryGetProperty(key, out JsonElement text) ? text.GetString() : null;

    private static void Equal(int[] expected, int[] actual, string what) =>
        Assert.True(expected.AsSpan().SequenceEqual(actual), $"{what}: expected [{string.Join(",", expected)}], got [{string.Join(",", actual)}]");

    private static void Equal(string expected, string actual, string what) =>
        Assert.True(string.Equals(expected, actual, StringComparison.Ordinal), $"{what}: expected '{expected}', got '{actual}'");

    private static Dictionary<string, string> ReadStrings() =>
        Rows(Path.Combine(Root, "strings.jsonl")).ToDictionary(r => r.GetProperty("id").GetString()!, r => r.GetProperty("text").GetString()!);
}
