using System.Text.Json;
using Paddock.Engine.Checkpoints;
using Paddock.Tests.Shared;
using Paddock.Tests.Storage;

namespace Paddock.Tests.Cli;

[Collection(ConsoleTests.Name)]
public sealed class ScoreVerbTests
{
    [SharedTheory]
    [InlineData("llama")]
    [InlineData("llama_tied")]
    [InlineData("gpt2")]
    public void Log_probs_are_those_of_the_reference(string family)
    {
        using TemporaryFolder folder = new();
        string golden = SharedFolder.Get("golden", "hf", family);
        JsonElement document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(golden, "golden.json"))).RootElement;
        string[] sequences = [.. document.GetProperty("sequences").EnumerateArray().Select(row => row.GetRawText())];
        string input = folder.Write("in.jsonl", string.Concat(sequences.Select(row => $"{{\"tokens\":{row.ReplaceLineEndings("")}}}\n")));
        Outcome outcome = CommandLine.Run("score", golden, "--input", input, "--json");
        Assert.Equal(0, outcome.Code);
        JsonElement[] rows = outcome.Rows;
        Assert.Equal(sequences.Length, rows.Length);
        using SafetensorsFile expected = SafetensorsFile.Open(Path.Combine(golden, "golden.safetensors"));
        double largest = 0;
        for (int i = 0; i < rows.Length; i++)
        {
            JsonElement[] got = [.. rows[i].GetProperty("logprobs").EnumerateArray()];
            float[] wanted = new float[got.Length - 1];
            expected.Read($"logprobs.{i}", wanted);
            Assert.Equal(JsonValueKind.Null, got[0].ValueKind);
            Assert.Equal(rows[i].GetProperty("tokens").GetArrayLength(), got.Length);
            for (int t = 0; t < wanted.Length; t++)
                largest = Math.Max(largest, Math.Abs(wanted[t] - got[t + 1].GetDouble()));
        }
        Assert.InRange(largest, 0, 1e-4);
    }

    [Fact]
    public void Chunks_and_threads_change_no_bit()
    {
        using TemporaryFolder folder = new();
        string model = TinyMeadow.Write(folder.File("model"));
        string input = folder.Write("in.jsonl", string.Concat(Enumerable.Range(1, 40).Select(n => $"{{\"tokens\":[{string.Join(',', Enumerable.Range(0, 1 + n % 17).Select(t => (n * 31 + t * 7) % 264))}]}}\n")));
        string whole = CommandLine.Run("score", model, "--input", input, "--json", "--threads", "2").Out;
        Assert.Equal(40, whole.Count(c => c == '\n'));
        Assert.Equal(whole, CommandLine.Run("score", model, "--input", input, "--json", "--threads", "1", "--batch-tokens", "5").Out);
    }

    [Fact]
    public void A_text_is_scored_as_its_tokens()
    {
        using TemporaryFolder folder = new();
        string model = TinyMeadow.Write(folder.File("model"));
        Outcome ids = CommandLine.Run("tokenize", model, "--json", "--input", folder.Write("a.jsonl", "{\"text\": \"red blue red\"}"));
        string tokens = ids.Rows.Single().GetProperty("ids").GetRawText();
        Outcome text = CommandLine.Run("score", model, "--json", "--input", folder.Write("b.jsonl", "{\"text\": \"red blue red\"}"));
        Outcome same = CommandLine.Run("score", model, "--json", "--input", folder.Write("c.jsonl", $"{{\"tokens\": {tokens}}}"));
        Assert.Equal(0, text.Code);
        Assert.Equal(same.Out, text.Out);
        Assert.Equal(tokens, text.Rows.Single().GetProperty("tokens").GetRawText());
    }

    [Theory]
    [InlineData("{\"tokens\": [1, 264]}", "tokens[1]: id 264 is outside the model's vocabulary of 264")]
    [InlineData("{\"tokens\": []}", "tokens: has no tokens; expected at least one")]
    [InlineData("{\"tokens\": [1], \"text\": \"red\"}", "text: expected either 'text' or 'tokens', not both")]
    [InlineData("{\"prompt\": \"red\"}", "text: missing; expected 'text', a string, or 'tokens', a list of ids")]
    [InlineData("{\"tokens\": [1,", "not valid JSON")]
    public void A_bad_row_names_its_place_after_the_rows_before_it(string row, string message)
    {
        using TemporaryFolder folder = new();
        string input = folder.Write("in.jsonl", $"{{\"tokens\": [3, 4]}}\n{row}\n");
        Outcome outcome = CommandLine.Run("score", TinyMeadow.Write(folder.File("model")), "--input", input, "--json");
        Assert.Equal(2, outcome.Code);
        Assert.Single(outcome.Rows);
        Assert.Contains($"{input}:2: {message}", outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Too_long_a_row_says_how_long_a_row_may_be()
    {
        using TemporaryFolder folder = new();
        string input = folder.Write("in.jsonl", $"{{\"tokens\": [{string.Join(',', Enumerable.Repeat(5, 129))}]}}\n");
        Outcome outcome = CommandLine.Run("score", TinyMeadow.Write(folder.File("model")), "--input", input, "--json");
        Assert.Equal(2, outcome.Code);
        Assert.Contains("tokens: 129 tokens are more than the model's 128 positions", outcome.Error, StringComparison.Ordinal);
    }
}
