using System.IO.Compression;
using System.Text;
using Paddock.Data;
using Paddock.Data.Formats;
using Paddock.Engine;
using Paddock.Tests.Storage;

namespace Paddock.Tests.Data;

public class ReadingTests
{
    private static string Refused(string path, Func<string, IEnumerable<object>>? read = null) =>
        Assert.Throws<BadInputException>(() => (read ?? DataFiles.ReadDemonstrations)(path).Count()).Message;

    [Theory]
    [InlineData("{\"messages\":[]}", DataFormat.Messages)]
    [InlineData("{\"conversations\":[]}", DataFormat.Messages)]
    [InlineData("{\"prompt\":\"a\",\"chosen\":\"b\",\"rejected\":\"c\"}", DataFormat.Preference)]
    [InlineData("{\"chosen\":[],\"rejected\":[]}", DataFormat.Preference)]
    [InlineData("{\"instruction\":\"a\",\"output\":\"d\",\"chosen\":\"b\",\"rejected\":\"c\"}", DataFormat.Preference)]
    [InlineData("{\"chosen\":\"\\n\\nHuman: a\",\"rejected\":\"\"}", DataFormat.HhPairs)]
    [InlineData("{\"prompt\":\"a\",\"completion\":\"b\",\"label\":true}", DataFormat.Labels)]
    [InlineData("{\"prompt\":\"a\",\"completion\":\"b\"}", DataFormat.PromptCompletion)]
    [InlineData("[{\"instruction\":\"a\",\"input\":\"\",\"output\":[\"b\"]}]", DataFormat.Alpaca)]
    [InlineData("{\"instruction\":\"a\",\"output\":\"b\",\"generator\":\"c\"}", DataFormat.AlpacaEvalOutputs)]
    [InlineData("{\"instruction\":\"a\",\"output_1\":\"b\",\"output_2\":\"c\"}", DataFormat.AlpacaEvalAnnotations)]
    [InlineData("\n {\"prompt\":[]}", DataFormat.Prompts)]
    [InlineData("{\"instruction\":\"a\"}", DataFormat.Prompts)]
    public void A_format_is_known_by_the_fields_of_its_first_row(string row, DataFormat expected)
    {
        using TemporaryFolder folder = new();
        Assert.Equal(expected, DataFormat.Detect(folder.Write("rows", row)));
    }

    [Fact]
    public void Fields_of_no_known_format_are_named()
    {
        using TemporaryFolder folder = new();
        Assert.Contains("(text, source)", Refused(folder.Write("rows.jsonl", "{\"text\":\"a\",\"source\":\"b\"}")));
        Assert.Contains("no rows", Refused(folder.Write("rows.json", "[]")));
        Assert.Contains("holds Prompts rows where preferences are needed", Refused(folder.Write("p.jsonl", "{\"prompt\":\"a\"}"), DataFiles.ReadPreferences));
    }

    [Fact]
    public void A_name_that_stands_twice_is_placed()
    {
        using TemporaryFolder folder = new();
        string lines = folder.Write("rows.jsonl", "{\"prompt\":\"a\",\"completion\":\"b\"}\n{\"prompt\":\"a\",\"x\":{\"prompt\":1},\"prompt\":\"b\"}\n");
        Assert.Equal($"{lines}: 1 of 2 rows cannot be used:\n  {lines}:2: the name \"prompt\" stands twice in one object, the second time at byte 32; keep one of them", Refused(lines));
        string array = folder.Write("rows.json", "[\n {\"a\": 1},\n {\"prompt\": 1,\n  \"prompt\": 2}]");
        Assert.Equal($"{array}: the name \"prompt\" stands twice in one object, the second time at line 4, byte 3; keep one of them", Refused(array));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_byte_order_mark_blank_lines_carriage_returns_and_gzip_are_no_matter(bool gzip)
    {
        using TemporaryFolder folder = new();
        byte[] content = [0xEF, 0xBB, 0xBF, .. Encoding.UTF8.GetBytes("\r\n{\"prompt\":\"é\",\"completion\":\"b\"}\r\n\r\n  \n{\"prompt\":\"c\",\"completion\":\"d\"}")];
        string path = folder.File("rows.data");
        if (gzip)
        {
            using GZipStream stream = new(File.Create(path), CompressionLevel.Fastest);
            stream.Write(content);
        }
        else
            File.WriteAllBytes(path, content);
        Demonstration[] rows = [.. DataFiles.ReadDemonstrations(path)];
        Assert.Equal(["é", "c"], rows.Select(row => row.Prompt.Instruction));
        Assert.Equal(["0", "1"], rows.Select(row => row.Prompt.Id));
        File.WriteAllBytes(path, [0xEF, 0xBB, 0xBF, .. "[{\"instruction\":\"a\",\"input\":\"b\",\"output\":\"c\"}]"u8]);
        Assert.Equal("a\n\nb", Assert.Single(DataFiles.ReadDemonstrations(path)).Prompt.Instruction);
    }

    [Fact]
    public void All_bad_rows_are_listed_in_one_message_with_their_lines_and_fields()
    {
        using TemporaryFolder folder = new();
        string path = folder.Write("rows.jsonl", """
            {"prompt":"a","completion":"b"}
            {"prompt":7,"completion":["x"]}

            {"prompt":"a"}
            {"prompt":"a","completion":
            {"prompt":"a","completion":"\ud800"}
            [1]
            {"prompt":"a","prompt":"b","completion":"c"}
            """);
        string[] lines = Refused(path).Split('\n');
        Assert.Equal($"{path}: 6 of 7 rows cannot be used:", lines[0]);
        Assert.Equal($"  {path}:2: prompt: expected a string, not a number", lines[1]);
        Assert.Equal($"  {path}:2: completion[0]: expected an object with role and content, not a string", lines[2]);
        Assert.Equal($"  {path}:4: completion: missing; expected a string", lines[3]);
        Assert.StartsWith($"  {path}:5: not valid JSON at byte 28: ", lines[4]);
        Assert.StartsWith($"  {path}:6: completion: not valid Unicode text", lines[5]);
        Assert.Equal($"  {path}:7: expected an object, not a list", lines[6]);
        Assert.Equal($"  {path}:8: the name \"prompt\" stands twice in one object, the second time at byte 15; keep one of them", lines[7]);
        Assert.Equal(8, lines.Length);
    }

    [Fact]
    public void Rows_of_an_array_are_named_by_their_index()
    {
        using TemporaryFolder folder = new();
        string path = folder.Write("rows.json", "[{\"instruction\":\"a\",\"output\":\"b\"},{\"instruction\":\"a\",\"output\":null}]");
        Assert.Contains($"{path}[1]: output: missing; expected a string", Refused(path));
    }

    [Fact]
    public void Many_problems_are_listed_up_to_twenty_and_counted()
    {
        using TemporaryFolder folder = new();
        string path = folder.Write("rows.jsonl", "{\"prompt\":\"a\",\"completion\":\"b\"}\n" + string.Concat(Enumerable.Repeat("{\"prompt\":\"a\"}\n", 50)));
        string[] lines = Refused(path, CompletionFormat.Read).Split('\n');
        Assert.Equal(22, lines.Length);
        Assert.Equal($"{path}: 50 of 51 rows cannot be used:", lines[0]);
        Assert.Equal("  and 30 more", lines[^1]);
    }

    [Fact]
    public void Rows_before_the_first_bad_one_are_streamed_and_none_after_it()
    {
        using TemporaryFolder folder = new();
        string path = folder.Write("rows.jsonl", "{\"prompt\":\"a\"}\n{\"prompt\":\"b\"}\n{}\n{\"prompt\":\"c\"}\n");
        List<string> seen = [];
        Assert.Throws<BadInputException>(() =>
        {
            foreach (Prompt prompt in PromptFormat.Read(path))
                seen.Add(prompt.Instruction);
        });
        Assert.Equal(["a", "b"], seen);
    }

    [Theory]
    [InlineData("{\"prompt\":\"a\",\"chosen\":\"b\",\"rejected\":\"c\",\"margin\":NaN}", "NaN and Infinity are not JSON")]
    [InlineData("{\"prompt\":\"a\",\"chosen\":\"b\",\"rejected\":\"c\",\"margin\":Infinity}", "NaN and Infinity are not JSON")]
    [InlineData("{\"prompt\":\"a\",\"chosen\":\"b\",\"rejected\":\"c\",\"margin\":-Infinity}", "NaN and Infinity are not JSON")]
    [InlineData("{\"prompt\":\"a\",\"chosen\":\"b\",\"rejected\":\"c\",\"margin\":1e999}", "expected a finite number, not 1e999")]
    [InlineData("{\"prompt\":\"a\",\"chosen\":\"b\",\"rejected\":\"c\",\"margin\":\"1\"}", "margin: expected a finite number, not a string")]
    [InlineData("{\"prompt\":\"a\",\"chosen\":\"b\",\"rejected\":\"c\",\"probability\":1.5}", "probability: expected a number from 0 to 1, not 1.5")]
    [InlineData("{\"chosen\":\"abc\",\"rejected\":\"abd\"}", "prompt: missing")]
    [InlineData("{\"prompt\":\"a\",\"chosen\":[{\"role\":\"user\",\"content\":\"b\"}],\"rejected\":\"c\"}", "chosen: expected one assistant message")]
    [InlineData("{\"chosen\":[{\"role\":\"assistant\",\"content\":\"b\"}],\"rejected\":[{\"role\":\"assistant\",\"content\":\"c\"}]}", "share no turn")]
    [InlineData("{\"chosen\":[{\"role\":\"tool\",\"content\":\"b\"}],\"rejected\":[{\"role\":\"assistant\",\"content\":\"c\"}]}", "chosen[0].role: expected system, user or assistant, not \"tool\"")]
    public void Bad_preferences_say_what_was_expected(string row, string expected)
    {
        using TemporaryFolder folder = new();
        Assert.Contains(expected, Refused(folder.Write("rows.jsonl", row), PreferenceFormat.Read));
    }

    [Fact]
    public void An_implicit_prompt_is_the_turns_both_sides_share()
    {
        using TemporaryFolder folder = new();
        const string User = "{\"role\":\"user\",\"content\":\"abc\"}";
        string path = folder.Write("rows.jsonl", $$"""
            {"chosen":[{{User}},{"role":"assistant","content":"abcd"}],"rejected":[{{User}},{"role":"assistant","content":"abc"}]}
            {"prompt":"abc","chosen":[{{User}},{"role":"assistant","content":"x"}],"rejected":[{{User}},{"role":"assistant","content":"x"}]}
            {"prompt":[{{User}}],"chosen":[{"role":"assistant","content":"y"}],"rejected":[{"role":"assistant","content":"z"}]}
            """);
        Preference[] rows = [.. PreferenceFormat.Read(path)];
        Assert.All(rows, row => Assert.Equal(new ChatMessage("user", "abc"), Assert.Single(row.Prompt.Messages)));
        Assert.Equal([("abcd", "abc"), ("x", "x"), ("y", "z")], rows.Select(row => (row.Chosen.Text, row.Rejected.Text)));
        path = folder.Write("bad.jsonl", $$"""
            {"prompt":"other","chosen":[{{User}},{"role":"assistant","content":"x"}],"rejected":[{{User}},{"role":"assistant","content":"x"}]}
            {"chosen":[{{User}},{"role":"assistant","content":"x"}],"rejected":[{"role":"user","content":"else"},{"role":"assistant","content":"x"}]}
            {"chosen":[{{User}},{"role":"assistant","content":"x"},{{User}}],"rejected":[{{User}},{"role":"assistant","content":"x"},{{User}}]}
            """);
        string message = Refused(path, PreferenceFormat.Read);
        Assert.Contains(":1: prompt: differs from the turns", message);
        Assert.Contains(":2: rejected: expected the turns of chosen", message);
        Assert.Contains(":3: chosen: expected the assistant's answer last", message);
    }

    [Fact]
    public void Chats_take_text_parts_and_sharegpt_names_and_end_in_the_answer()
    {
        using TemporaryFolder folder = new();
        Demonstration[] rows = [.. MessagesFormat.Read(folder.Write("rows.jsonl", """
            {"messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},{"role":"assistant","content":"c"}]}
            {"conversations":[{"from":"human","value":"d"},{"from":"gpt","value":"e"}]}
            """))];
        Assert.Equal([("ab", "c"), ("d", "e")], rows.Select(row => (row.Prompt.Instruction, row.Response.Text)));
        string message = Refused(folder.Write("bad.jsonl", """
            {"messages":[{"role":"user","content":"a"}]}
            {"messages":[{"role":"user","content":[{"type":"image_url"}]},{"role":"assistant","content":"c"}]}
            {"messages":[{"role":"user","content":"a"},{"role":"assistant","content":null}]}
            {"messages":"a"}
            """));
        Assert.Contains(":1: messages: expected a prompt and, last, the assistant's answer", message);
        Assert.Contains(":2: messages[0].content: expected text parts only", message);
        Assert.Contains(":3: messages[1].content: expected a string, not null", message);
        Assert.Contains(":4: messages: expected a list of messages, not a string", message);
    }

    [Fact]
    public void Ids_are_kept_and_one_id_names_one_prompt()
    {
        using TemporaryFolder folder = new();
        Assert.Equal(["x", "7", "x"], PromptFormat.Read(folder.Write("a.jsonl", "{\"id\":\"x\",\"prompt\":\"a\"}\n{\"prompt_id\":7,\"prompt\":\"b\"}\n{\"id\":\"x\",\"prompt\":\"a\"}")).Select(prompt => prompt.Id));
        Assert.Contains("\"x\" names another prompt", Refused(folder.Write("b.jsonl", "{\"id\":\"x\",\"prompt\":\"a\"}\n{\"id\":\"x\",\"prompt\":\"b\"}"), PromptFormat.Read));
        Assert.Contains(":2: id: missing", Refused(folder.Write("c.jsonl", "{\"id\":\"x\",\"prompt\":\"a\"}\n{\"prompt\":\"b\"}"), PromptFormat.Read));
        Assert.Contains(":2: id: present", Refused(folder.Write("d.jsonl", "{\"prompt\":\"a\"}\n{\"id\":\"x\",\"prompt\":\"b\"}"), PromptFormat.Read));
    }

    [Fact]
    public void Labels_are_true_or_false()
    {
        using TemporaryFolder folder = new();
        Assert.Equal([true, false, true], LabelFormat.Read(folder.Write("a.jsonl", """
            {"prompt":"a","completion":"b","label":true}
            {"prompt":"a","completion":"b","label":false}
            {"prompt":"a","completion":"b","label":1}
            """)).Select(row => row.Desirable));
        Assert.Contains("label: expected true or false, not a string", Refused(folder.Write("b.jsonl", "{\"prompt\":\"a\",\"completion\":\"b\",\"label\":\"true\"}"), DataFiles.ReadLabels));
    }

    [Fact]
    public void What_is_no_data_file_is_refused_with_what_to_do()
    {
        using TemporaryFolder folder = new();
        Assert.Contains("a folder; name a data file in it", Refused(folder.Path));
        Assert.Contains("no such file", Refused(folder.File("none.jsonl")));
        Assert.Contains("Parquet is not read here; convert the file to JSONL", Refused(folder.Write("a.parquet", "PAR1....")));
        Assert.Contains("neither a JSON array nor JSONL", Refused(folder.Write("a.csv", "prompt,completion\na,b")));
        Assert.Contains("the file is empty", Refused(folder.Write("a.jsonl", " \n")));
        File.WriteAllBytes(folder.File("u.jsonl"), Encoding.Unicode.GetPreamble().Concat(Encoding.Unicode.GetBytes("{}")).ToArray());
        Assert.Contains("UTF-16", Refused(folder.File("u.jsonl")));
        File.WriteAllBytes(folder.File("bad.gz"), [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF]);
        Assert.Contains("cannot be read", Refused(folder.File("bad.gz")));
        Assert.Contains("not valid JSON", Refused(folder.Write("a.json", "[{\"prompt\":\"a\"}")));
    }

    [Fact]
    public void A_message_quotes_only_the_start_of_what_it_found()
    {
        using TemporaryFolder folder = new();
        string huge = new('x', 100_000), message = Refused(folder.Write("a.jsonl", $"{{\"messages\":[{{\"role\":\"{huge}\",\"content\":\"a\"}}]}}"));
        Assert.Contains("xxx...", message);
        Assert.True(message.Length < 500);
        Assert.True(Refused(folder.Write("b.jsonl", $"{{\"{huge}\":1}}")).Length < 600);
    }

    [Fact]
    public void A_gzip_cut_short_is_not_taken_for_whole()
    {
        using TemporaryFolder folder = new();
        MemoryStream packed = new();
        using (GZipStream stream = new(packed, CompressionLevel.Fastest, leaveOpen: true))
            for (int i = 0; i < 2000; i++)
                stream.Write(Encoding.UTF8.GetBytes($"{{\"prompt\":\"{i * 7919 % 1000003}\"}}\n"));
        File.WriteAllBytes(folder.File("cut.jsonl.gz"), packed.ToArray()[..(int)(packed.Length / 2)]);
        Assert.NotEmpty(Refused(folder.File("cut.jsonl.gz"), PromptFormat.Read));
    }

    [Fact]
    public void Transcripts_that_part_early_lose_no_text()
    {
        using TemporaryFolder folder = new();
        string path = folder.Write("rows.jsonl", """
            {"chosen":"\n\nHuman: a\n\nAssistant: b\n\nHuman: c\n\nAssistant: d","rejected":"\n\nHuman: a\n\nAssistant: e"}
            {"chosen":"\n\nHuman: a\n\nAssistant: b\n\nHuman: c\n\nAssistant: d","rejected":"\n\nHuman: a\n\nAssistant: b\n\nHuman: x\n\nAssistant: d"}
            {"chosen":"\n\nHuman: a\n\nAssistant: b\n\nAssistant: ","rejected":"\n\nHuman: a\n\nAssistant: b\n\nAssistant: d"}
            """);
        Preference[] rows = [.. DataFiles.ReadPreferences(path)];
        Assert.Equal(("b\n\nHuman: c\n\nAssistant: d", "e"), (rows[0].Chosen.Text, rows[0].Rejected.Text));
        Assert.Equal(("b\n\nHuman: c\n\nAssistant: d", "b\n\nHuman: x\n\nAssistant: d"), (rows[1].Chosen.Text, rows[1].Rejected.Text));
        Assert.Equal((2, "", "d"), (rows[2].Prompt.Messages.Count, rows[2].Chosen.Text, rows[2].Rejected.Text));
        string message = Refused(folder.Write("bad.jsonl", """
            {"chosen":"\n\nHuman: a\n\nAssistant: b","rejected":"\n\nHuman: x\n\nAssistant: b"}
            {"chosen":"\n\nHuman: a\n\nAssistant: b\n\nHuman: c","rejected":"\n\nHuman: a\n\nAssistant: b"}
            {"chosen":"hello","rejected":"\n\nHuman: a\n\nAssistant: b"}
            """), HhFormat.Read);
        Assert.Contains(":1: rejected: shares no opening human turn", message);
        Assert.Contains(":2: chosen: expected the assistant's turn last", message);
        Assert.Contains(":3: chosen: expected a transcript", message);
    }
}
