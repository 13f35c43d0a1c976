using Paddock.Data;
using Paddock.Data.Formats;
using Paddock.Tests.Storage;

namespace Paddock.Tests.Data;

/// <summary>What a writer writes, its reader reads back: same rows, whatever the text in them.</summary>
public class RoundTripTests
{
    private const string Odd = "  é \"quoted\" <b>&</b> \u2028 \U0001F600\ttab\r\nnew line \\ \0 ";

    private static readonly ChatMessage[] Chat = [new("system", "Be brief."), new("user", Odd), new("assistant", ""), new("user", "And then?")];

    private static Prompt[] Prompts(bool chats) => [Prompt.FromInstruction("0", "What is 2 + 2?"), Prompt.FromInstruction("1", Odd), chats ? new("2", Chat) : Prompt.FromInstruction("2", "")];

    private static Prompt[] Named(bool chats) => [.. Prompts(chats).Select(prompt => prompt with { Id = $"p-{prompt.Id}" })];

    // records compare their lists by reference, so rows are compared as text
    private static string Text(Prompt prompt) => $"{prompt.Id}|{string.Join('|', prompt.Messages)}";

    private static void Same<T>(IEnumerable<T> expected, IEnumerable<T> actual, Func<T, string> text) => Assert.Equal(expected.Select(text), actual.Select(text));

    private static string Text(Demonstration row) => $"{Text(row.Prompt)}|{row.Response}";

    private static string Text(Preference row) => $"{Text(row.Prompt)}|{row.Chosen}|{row.Rejected}|{row.Probability:R}|{row.Margin:R}";

    private static Demonstration[] Demonstrations(Prompt[] prompts) => [.. prompts.Select((prompt, i) => new Demonstration(prompt, new Response(i == 1 ? Odd : $"answer {i}")))];

    [Theory]
    [InlineData("rows.jsonl")]
    [InlineData("rows.jsonl.gz")]
    public void Prompts_and_completions_and_chats(string name)
    {
        using TemporaryFolder folder = new();
        string path = folder.File(name);
        foreach (Prompt[] prompts in new[] { Prompts(true), Named(true) })
        {
            PromptFormat.Write(path, prompts);
            Same(prompts, PromptFormat.Read(path), Text);
            Assert.Equal(DataFormat.Prompts, DataFormat.Detect(path));
            CompletionFormat.Write(path, Demonstrations(prompts));
            Same(Demonstrations(prompts), CompletionFormat.Read(path), Text);
            Same(Demonstrations(prompts), DataFiles.ReadDemonstrations(path), Text);
            MessagesFormat.Write(path, Demonstrations(prompts));
            Same(Demonstrations(prompts), MessagesFormat.Read(path), Text);
            Same(Demonstrations(prompts), DataFiles.ReadDemonstrations(path), Text);
            Same(prompts, DataFiles.ReadPrompts(path), Text);
        }
    }

    [Theory]
    [InlineData("rows.json")]
    [InlineData("rows.jsonl")]
    [InlineData("rows.json.gz")]
    public void Alpaca_rows_and_samples(string name)
    {
        using TemporaryFolder folder = new();
        string path = folder.File(name);
        foreach (Prompt[] prompts in new[] { Prompts(false), Named(false) })
        {
            AlpacaFormat.Write(path, Demonstrations(prompts));
            Same(Demonstrations(prompts), AlpacaFormat.Read(path), Text);
            Same(Demonstrations(prompts), DataFiles.ReadDemonstrations(path), Text);
            SampledAnswers[] samples = [.. prompts.Select(prompt => new SampledAnswers(prompt, [new("a"), new(Odd)]))];
            AlpacaFormat.WriteSamples(path, samples);
            Same(samples, AlpacaFormat.ReadSamples(path), row => $"{Text(row.Prompt)}|{string.Join('|', row.Responses)}");
        }
        Assert.Contains("conversation", Assert.Throws<Engine.BadInputException>(() => AlpacaFormat.Write(path, Demonstrations(Prompts(true)))).Message);
    }

    [Fact]
    public void Preferences_hard_and_soft()
    {
        using TemporaryFolder folder = new();
        string path = folder.File("rows.jsonl");
        foreach (Prompt[] prompts in new[] { Prompts(true), Named(true) })
        {
            Preference[] hard = [.. prompts.Select(prompt => new Preference(prompt, new("yes"), new(Odd)))];
            Preference[] soft = [.. prompts.Select((prompt, i) => new Preference(prompt, new("yes"), new("no"), 1.0 / (i + 1), i - 0.1))];
            foreach (Preference[] rows in new[] { hard, soft })
            {
                PreferenceFormat.Write(path, rows);
                Same(rows, PreferenceFormat.Read(path), Text);
                Same(rows, DataFiles.ReadPreferences(path), Text);
            }
        }
    }

    [Fact]
    public void Labels()
    {
        using TemporaryFolder folder = new();
        string path = folder.File("rows.jsonl");
        Label[] rows = [.. Prompts(true).Select((prompt, i) => new Label(prompt, new(Odd), i == 1))];
        LabelFormat.Write(path, rows);
        Same(rows, DataFiles.ReadLabels(path), row => $"{Text(row.Prompt)}|{row.Response}|{row.Desirable}");
    }

    [Fact]
    public void Transcripts()
    {
        using TemporaryFolder folder = new();
        string path = folder.File("rows.jsonl");
        Preference[] rows =
        [
            new(Prompt.FromInstruction("0", "Hi"), new("Hello."), new("")),
            new(new("1", [new("user", "a"), new("assistant", " b "), new("assistant", "c"), new("user", "")]), new("d\n\ne"), new("Human: f\n")),
        ];
        HhFormat.Write(path, rows);
        Assert.Equal(DataFormat.HhPairs, DataFormat.Detect(path));
        Same(rows, HhFormat.Read(path), Text);
        foreach (Preference bad in new[] { rows[0] with { Probability = 0.5 }, new Preference(new("0", Chat), new("a"), new("b")), new Preference(Prompt.FromInstruction("0", "x\n\nHuman: y"), new("a"), new("b")) })
            Assert.Throws<Engine.BadInputException>(() => HhFormat.Write(path, [bad]));
    }

    [Fact]
    public void AlpacaEval_outputs_and_annotations()
    {
        using TemporaryFolder folder = new();
        string path = folder.File("rows.json");
        ModelOutput[] outputs = [new("Do it.", Odd, "model", "koala"), new("Do that.", "", "model", null, "eval", "input")];
        AlpacaEvalOutputFormat.Write(path, outputs);
        Assert.Equal(outputs, AlpacaEvalOutputFormat.Read(path));
        AlpacaEvalAnnotation[] annotations =
        [
            new("Do it.", "a", Odd, "baseline", "model", "judge", 1.25, "koala", null, 0.01, 2.5, "{\"text\":\"m\",\"logprobs\":null}"),
            new("Do that.", "a", "b"),
        ];
        AlpacaEvalAnnotationFormat.Write(path, annotations);
        Assert.Equal(annotations, AlpacaEvalAnnotationFormat.Read(path));
    }
}
