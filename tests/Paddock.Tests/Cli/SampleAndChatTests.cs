using System.Text.Json;
using Paddock.Tests.Shared;
using Paddock.Tests.Storage;

namespace Paddock.Tests.Cli;

[Collection(ConsoleTests.Name)]
public sealed class SampleAndChatTests
{
    [Fact]
    public void The_seed_decides_the_answers()
    {
        using TemporaryFolder folder = new();
        string model = TinyMeadow.Write(folder.File("model"));
        string Sample(params string[] more) => CommandLine.Run(["sample", model, "--prompt", "red blue", "--n", "3", "--max-tokens", "8", "--json", .. more]).Out;
        string first = Sample("--seed", "1");
        Assert.Equal(first, Sample("--seed", "1", "--threads", "1"));
        Assert.NotEqual(first, Sample("--seed", "2"));
        JsonElement row = JsonDocument.Parse(first).RootElement;
        Assert.Equal("red blue", row.GetProperty("prompt").GetString());
        Assert.Equal(3, row.GetProperty("answers").EnumerateArray().Select(a => a.GetProperty("text").GetString()).Distinct().Count());
    }

    [Fact]
    public void An_answers_logprob_is_what_scoring_its_tokens_gives()
    {
        using TemporaryFolder folder = new();
        string model = TinyMeadow.Write(folder.File("model"));
        JsonElement answer = CommandLine.Run("sample", model, "--prompt", "red", "--max-tokens", "5", "--json", "--seed", "4").Rows.Single().GetProperty("answers")[0];
        Assert.False(answer.GetProperty("finished").GetBoolean());
        string text = $"red <sep> {answer.GetProperty("text").GetString()}";
        JsonElement[] logProbs = [.. CommandLine.Run("score", model, "--json", "--input", folder.Write("in.jsonl", JsonSerializer.Serialize(new { text }))).Rows.Single().GetProperty("logprobs").EnumerateArray()];
        Assert.Equal(7, logProbs.Length);
        Assert.Equal(logProbs[2..].Sum(p => p.GetDouble()), answer.GetProperty("logprob").GetDouble(), 1e-4);
    }

    [Fact]
    public void A_file_of_prompts_is_answered_row_by_row_as_each_prompt_would_be()
    {
        using TemporaryFolder folder = new();
        string model = TinyMeadow.Write(folder.File("model"));
        string input = folder.Write("in.jsonl", string.Concat(Enumerable.Range(0, 40).Select(i => $"{{\"prompt\": \"{(i % 2 == 0 ? "red" : "blue")}\"}}\n")));
        JsonElement[] rows = CommandLine.Run("sample", model, "--input", input, "--n", "2", "--max-tokens", "4", "--json").Rows;
        Assert.Equal(40, rows.Length);
        Assert.Equal(["red", "blue", "red"], rows[..3].Select(r => r.GetProperty("prompt").GetString()));
        Assert.All(rows, row => Assert.Equal(2, row.GetProperty("answers").GetArrayLength()));
        Assert.Equal(rows[0].GetRawText(), CommandLine.Run("sample", model, "--prompt", "red", "--n", "2", "--max-tokens", "4", "--json").Out.Trim());
    }

    [Theory]
    [InlineData("give either --prompt TEXT or --input FILE")]
    [InlineData("--n must be from 1 to 65536, not 0", "--prompt", "red", "--n", "0")]
    [InlineData("sampling: top-p is 0; use more than 0 and at most 1 (off)", "--prompt", "red", "--top-p", "0")]
    [InlineData("prompt 0 (from 0): the word 'zebra' is not in the vocabulary, which has no '<unk>' token for such words", "--prompt", "zebra")]
    [InlineData("--threads must be from 0 (all processors) to 1024, not -1", "--prompt", "red", "--threads", "-1")]
    public void What_is_wrong_with_the_options_is_told(string message, params string[] options)
    {
        using TemporaryFolder folder = new();
        Outcome outcome = CommandLine.Run(["sample", TinyMeadow.Write(folder.File("model")), .. options]);
        Assert.Equal(2, outcome.Code);
        Assert.Equal($"paddock: {message}\n", outcome.Error);
    }

    [Fact]
    public void A_piped_chat_answers_every_line_and_remembers_until_reset()
    {
        using TemporaryFolder folder = new();
        string model = TinyMeadow.Write(folder.File("model"));
        // a random model's logits are nearly flat: a low temperature makes them depend on what was said
        string[] Chat(string input, params string[] more) =>
            CommandLine.RunWith(input, ["chat", model, "--max-tokens", "12", "--temperature", "0.06", "--seed", "3", .. more]).Out.Split('\n')[..^1];
        string[] afterRed = Chat("red\nred\n"), afterBlue = Chat("blue\nred\n"), reset = Chat("red\n\n/reset\nred\n/exit\nred\n");
        Assert.Equal(2, afterRed.Length);
        Assert.NotEqual(afterRed[1], afterBlue[1]); // the same message on the same random stream: only what went before differs
        Assert.Equal([afterRed[0], afterRed[0]], reset);
        Assert.NotEqual(afterRed[0], Chat("red\n", "--system", "blue")[0]);
    }

    [Fact]
    public void A_piped_message_that_cannot_be_read_is_told_and_the_chat_goes_on()
    {
        using TemporaryFolder folder = new();
        string model = TinyMeadow.Write(folder.File("model"));
        Outcome outcome = CommandLine.RunWith("\nzebra\nred\n", "chat", model, "--max-tokens", "4");
        Assert.Equal(2, outcome.Code);
        Assert.StartsWith("paddock: standard input:2: the word 'zebra' is not in the vocabulary", outcome.Error, StringComparison.Ordinal);
        Outcome without = CommandLine.RunWith("red\n", "chat", model, "--max-tokens", "4");
        Assert.Equal((0, without.Out), (without.Code, outcome.Out)); // the bad line left no trace
    }

    [Fact]
    public void Commands_of_the_chat_set_the_system_message_and_list_themselves()
    {
        using TemporaryFolder folder = new();
        string model = TinyMeadow.Write(folder.File("model"));
        Outcome Chat(string input, params string[] more) => CommandLine.RunWith(input, ["chat", model, "--max-tokens", "12", "--temperature", "0.06", .. more]);
        Outcome help = Chat("/help\n/nothing\n");
        Assert.Equal((0, ""), (help.Code, help.Out));
        Assert.All(new[] { "/system", "/reset", "/help", "/exit", "no command /nothing" }, name => Assert.Contains(name, help.Error, StringComparison.Ordinal));
        string blue = Chat("red\n", "--system", "blue").Out, plain = Chat("red\n").Out;
        Assert.NotEqual(plain, blue);
        Assert.Equal(plain + blue + plain, Chat("red\n/system blue\nred\n/system\nred\n").Out);
    }

    [SharedFact]
    public void A_real_gguf_model_chats()
    {
        Outcome outcome = CommandLine.RunWith("Say hello.\n", "chat", SharedFolder.Get("models", "smollm2-135m-instruct"), "--max-tokens", "8", "--temperature", "0");
        Assert.Equal(0, outcome.Code);
        Assert.Contains("ello", outcome.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("<|im_", outcome.Out, StringComparison.Ordinal);
    }
}
