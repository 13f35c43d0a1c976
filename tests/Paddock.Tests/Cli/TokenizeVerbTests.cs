using System.Text;
using System.Text.Json;
using Paddock.Tests.Shared;
using Paddock.Tests.Storage;

namespace Paddock.Tests.Cli;

[Collection(ConsoleTests.Name)]
public sealed class TokenizeVerbTests
{
    [SharedTheory]
    [InlineData("gpt2_real", "models", "gpt2-tokenizer")] // vocab.json and merges.txt, no config.json
    [InlineData("smollm2", "golden", "tokenizers", "smollm2")] // tokenizer.json alone
    public void Texts_become_the_reference_ids(string golden, params string[] tokenizer)
    {
        using TemporaryFolder folder = new();
        Dictionary<string, string> texts = Lines("strings.jsonl").ToDictionary(row => row.GetProperty("id").GetString()!, row => row.GetProperty("text").GetString()!);
        JsonElement[] expected = Lines(golden, "encode.jsonl");
        // a lone surrogate can be written in JSON but is no text
        JsonElement[] rows = [.. expected.Where(row => IsText(texts[row.GetProperty("id").GetString()!]))];
        Assert.True(rows.Length > 200);
        string input = folder.Write("in.jsonl", string.Concat(rows.Select(row => JsonSerializer.Serialize(new { text = texts[row.GetProperty("id").GetString()!] }) + "\n")));
        Outcome outcome = CommandLine.Run("tokenize", SharedFolder.Get(tokenizer), "--input", input, "--no-special-tokens", "--json");
        Assert.Equal(0, outcome.Code);
        Assert.Equal(rows.Select(row => row.GetProperty("ids").GetRawText()), outcome.Rows.Select(row => row.GetProperty("ids").GetRawText()));
    }

    [SharedTheory]
    [InlineData("gpt2_real", "models", "gpt2-tokenizer")]
    [InlineData("smollm2", "golden", "tokenizers", "smollm2")]
    public void Ids_become_the_reference_texts(string golden, params string[] tokenizer)
    {
        using TemporaryFolder folder = new();
        JsonElement[] expected = Lines(golden, "decode.jsonl");
        string input = folder.Write("in.jsonl", string.Concat(expected.Select(row => $"{{\"ids\":{row.GetProperty("ids").GetRawText()}}}\n")));
        Outcome whole = CommandLine.Run("tokenize", SharedFolder.Get(tokenizer), "--input", input, "--decode", "--json");
        Outcome without = CommandLine.Run("tokenize", SharedFolder.Get(tokenizer), "--input", input, "--decode", "--no-special-tokens", "--json");
        Assert.Equal(expected.Select(row => row.GetProperty("dec").GetString()), whole.Rows.Select(Text));
        Assert.Equal(expected.Select(row => (row.TryGetProperty("decs", out JsonElement skipped) ? skipped : row.GetProperty("dec")).GetString()), without.Rows.Select(Text));
    }

    [Fact]
    public void A_bad_row_names_its_place_and_earlier_rows_stay()
    {
        using TemporaryFolder folder = new();
        string model = TinyMeadow.Write(folder.File("model"));
        string input = folder.Write("in.jsonl", "{\"text\": \"red\"}\n\n{\"text\": 7}\n{\"text\": \"red\"}\n");
        Outcome outcome = CommandLine.Run("tokenize", model, "--input", input, "--json");
        Assert.Equal(2, outcome.Code);
        Assert.Single(outcome.Rows);
        Assert.Equal($"paddock: {input}:3: text: expected a string, not a number\n", outcome.Error);
    }

    [Theory]
    [InlineData("{\"ids\": [1, -2]}", "ids[1]: expected a token id, a whole number from 0, not -2")]
    [InlineData("{\"ids\": [1.5]}", "ids[0]: expected a token id, a whole number from 0, not 1.5")]
    [InlineData("{\"ids\": \"1 2\"}", "ids: expected a list of token ids, not a string")]
    [InlineData("{\"text\": \"x\"}", "ids: missing; expected a list of token ids")]
    public void Rows_that_are_no_ids_are_told(string row, string message)
    {
        using TemporaryFolder folder = new();
        Outcome outcome = CommandLine.Run("tokenize", TinyMeadow.Write(folder.File("model")), "--decode", "--json", "--input", folder.Write("in.jsonl", row));
        Assert.Equal(2, outcome.Code);
        Assert.EndsWith($"in.jsonl:1: {message}\n", outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_word_that_the_vocabulary_lacks_names_its_row()
    {
        using TemporaryFolder folder = new();
        Outcome outcome = CommandLine.Run("tokenize", TinyMeadow.Write(folder.File("model")), "--input", folder.Write("in.jsonl", "{\"text\": \"red zebra\"}"));
        Assert.Equal(2, outcome.Code);
        Assert.Contains("in.jsonl:1: text: the word 'zebra' is not in the vocabulary", outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Standard_input_and_output_are_utf8_both_ways()
    {
        using TemporaryFolder folder = new();
        folder.Write("tokenizer.json", """
            {"model": {"type": "WordLevel", "unk_token": "<unk>", "vocab": {"<unk>": 0, "grün": 1, "木": 2}}, "pre_tokenizer": {"type": "WhitespaceSplit"}, "added_tokens": []}
            """);
        Outcome ids = CommandLine.RunApart(Encoding.UTF8.GetBytes("{\"text\": \"木 grün\"}\n"), "tokenize", folder.Path, "--json");
        Assert.Equal("{\"ids\":[2,1]}\n", ids.Out);
        Outcome text = CommandLine.RunApart(Encoding.UTF8.GetBytes(ids.Out), "tokenize", folder.Path, "--decode", "--json");
        Assert.Equal("木 grün", Text(text.Rows.Single()));
    }

    [Fact]
    public async Task A_program_that_waits_for_each_answer_gets_it()
    {
        using TemporaryFolder folder = new();
        string model = TinyMeadow.Write(folder.File("model"));
        using System.Diagnostics.Process process = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("dotnet", [typeof(Paddock.Cli.ExitCodes).Assembly.Location, "tokenize", model, "--json"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        using CancellationTokenSource limit = new(TimeSpan.FromMinutes(2)); // so that a row that never comes fails and does not hang
        for (int row = 0; row < 3; row++)
        {
            await process.StandardInput.WriteAsync("{\"text\": \"red\"}\n");
            await process.StandardInput.FlushAsync();
            Assert.StartsWith("{\"ids\":[", await process.StandardOutput.ReadLineAsync(limit.Token), StringComparison.Ordinal);
        }
        process.StandardInput.Close();
        await process.WaitForExitAsync(limit.Token);
        Assert.Equal(0, process.ExitCode);
    }

    private static string? Text(JsonElement row) => row.GetProperty("text").GetString();

    private static bool IsText(string text) => text == Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));

    private static JsonElement[] Lines(params string[] path) =>
        [.. File.ReadLines(SharedFolder.Get(["golden", "tokenizers", .. path])).Select(line => JsonDocument.Parse(line).RootElement)];
}
