using System.Text;
using System.Text.Json.Serialization;
using Paddock.Engine;
using Paddock.Storage;

namespace Paddock.Tests.Storage;

public partial class JsonLinesTests
{
    private sealed record Row(int Step, string Text);

    [JsonSerializable(typeof(Row))]
    private sealed partial class RowContext : JsonSerializerContext;

    private static string[] Lines(string path) => [.. JsonLines.Read(path).Select(line => Encoding.UTF8.GetString(line.Span))];

    [Fact]
    public void Rows_come_back_in_order_over_several_openings()
    {
        using TemporaryFolder folder = new();
        string path = folder.File("deep/rows.jsonl");
        Row[] rows = [.. Enumerable.Range(0, 50).Select(i => new Row(i, new string('é', i * 100) + "\n"))];
        using (JsonLines file = JsonLines.OpenAppend(path))
            foreach (Row row in rows[..20])
                file.Append(row, RowContext.Default.Row);
        using (JsonLines file = JsonLines.OpenAppend(path))
        {
            Assert.Equal((20, 0), (file.Rows, file.TornBytes));
            foreach (Row row in rows[20..])
                file.Append(row, RowContext.Default.Row);
            Assert.Equal(rows, JsonLines.Read(path, RowContext.Default.Row)); // readable while open
        }
        Assert.Equal(50, JsonLines.Count(path));
    }

    [Theory]
    [InlineData("{\"a\":1}\n{\"a\":2}\n{\"a\"", 4)]
    [InlineData("{\"a\":1}\n{\"a\":2}\n\0\0\0\0\0\0", 6)]
    [InlineData("{\"a\":1}\n{\"a\":2}\n\0\0\0\n", 4)]
    [InlineData("{\"a\":1}\n{\"a\":2}\n", 0)]
    public void A_torn_last_line_is_skipped_on_reading_and_cut_on_opening(string content, int torn)
    {
        using TemporaryFolder folder = new();
        string path = folder.Write("rows.jsonl", content);
        Assert.Equal(["{\"a\":1}", "{\"a\":2}"], Lines(path));
        Assert.Equal(2, JsonLines.Count(path));
        using (JsonLines file = JsonLines.OpenAppend(path))
        {
            Assert.Equal((2, torn), (file.Rows, file.TornBytes));
            file.Append("{\"a\":3}"u8);
        }
        Assert.Equal("{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n", File.ReadAllText(path));
    }

    [Fact]
    public void Truncation_keeps_the_first_rows_and_appending_goes_on_from_there()
    {
        using TemporaryFolder folder = new();
        string path = folder.File("rows.jsonl");
        using JsonLines file = JsonLines.OpenAppend(path);
        for (int i = 0; i < 10; i++)
            file.Append(Encoding.UTF8.GetBytes($"{{\"i\":{i}}}"));
        file.TruncateTo(3);
        file.Append("{\"i\":99}"u8);
        file.Flush();
        Assert.Equal(["{\"i\":0}", "{\"i\":1}", "{\"i\":2}", "{\"i\":99}"], Lines(path));
        file.TruncateTo(0);
        Assert.Equal((0, 0), (file.Rows, new FileInfo(path).Length));
        Assert.Throws<ArgumentOutOfRangeException>(() => file.TruncateTo(1));
    }

    [Fact]
    public void Rows_longer_than_the_buffer_are_whole()
    {
        using TemporaryFolder folder = new();
        string path = folder.File("rows.jsonl"), large = $"\"{new string('x', 300_000)}\"";
        using (JsonLines file = JsonLines.OpenAppend(path))
        {
            file.Append("1"u8);
            file.Append(Encoding.UTF8.GetBytes(large));
            file.Append("2"u8);
            file.TruncateTo(2);
            file.Append("3"u8);
        }
        Assert.Equal(["1", large, "3"], Lines(path));
    }

    [Fact]
    public void Rows_appended_by_many_threads_are_never_mixed()
    {
        using TemporaryFolder folder = new();
        string path = folder.File("rows.jsonl");
        using JsonLines file = JsonLines.OpenAppend(path);
        Parallel.For(0, 200, i => file.Append(new Row(i, "text"), RowContext.Default.Row));
        Assert.Equal(Enumerable.Range(0, 200), JsonLines.Read(path, RowContext.Default.Row).Select(row => row.Step).Order());
    }

    [Fact]
    public void A_row_of_several_lines_is_refused()
    {
        using TemporaryFolder folder = new();
        using JsonLines file = JsonLines.OpenAppend(folder.File("rows.jsonl"));
        Assert.Throws<ArgumentException>(() => file.Append("{\n}"u8));
        Assert.Throws<ArgumentException>(() => file.Append(default(ReadOnlySpan<byte>)));
        Assert.Equal(0, file.Rows);
    }

    [Fact]
    public void A_broken_row_before_the_end_is_an_error_that_names_its_line()
    {
        using TemporaryFolder folder = new();
        string path = folder.Write("rows.jsonl", "{\"Step\":1,\"Text\":\"a\"}\n{oops}\n{\"Step\":2,\"Text\":\"b\"}\n");
        BadInputException error = Assert.Throws<BadInputException>(() => JsonLines.Read(path, RowContext.Default.Row).ToList());
        Assert.StartsWith($"{path}:2: ", error.Message);
    }

    [Fact]
    public void A_missing_file_has_no_rows()
    {
        using TemporaryFolder folder = new();
        Assert.Empty(JsonLines.Read(folder.File("none.jsonl")));
        Assert.Equal(0, JsonLines.Count(folder.File("none.jsonl")));
    }
}
