using Paddock.Cli.Terminal;

namespace Paddock.Tests.Cli;

public sealed class TextTests
{
    [Theory]
    [InlineData("one two three", 8, "one two\nthree")]
    [InlineData("one two three", 7, "one two\nthree")]
    [InlineData("one two three", 6, "one\ntwo\nthree")]
    [InlineData("one two three", 0, "one two three")]
    [InlineData("  indented words stay", 12, "  indented\nwords stay")]
    [InlineData("a\n\n    b  c\n", 8, "a\n\n    b  c\n")]
    [InlineData("unbreakablelong word", 5, "unbreakablelong\nword")]
    [InlineData("ends ", 8, "ends")]
    public void Lines_break_between_words_however_the_text_arrives(string text, int width, string expected)
    {
        Assert.Equal(expected, Wrapped(width, [text]));
        Assert.Equal(expected, Wrapped(width, [.. text.Select(c => $"{c}")]));
    }

    [Fact]
    public void Blanks_at_the_ends_of_lines_are_left_out()
    {
        StringWriter text = new();
        using (TrimmedWriter writer = new(text))
        {
            writer.Write("a  b  ");
            writer.Write(" \n  c \r\n");
            writer.Write("d ");
            writer.Write("e");
        }
        Assert.Equal("a  b\n  c\r\nd e", text.ToString());
    }

    [Theory]
    [InlineData(0, "")]
    [InlineData(12, "1 KB")]
    [InlineData(3_500_000, "3.3 MB")]
    [InlineData(5_000_000_000, "4.7 GB")]
    public void Sizes_have_a_unit(long bytes, string expected) => Assert.Equal(expected, Screen.Size(bytes));

    private static string Wrapped(int width, string[] pieces)
    {
        System.Text.StringBuilder output = new();
        WordWrap wrap = new(text => output.Append(text), width);
        foreach (string piece in pieces)
            wrap.Write(piece);
        wrap.Flush();
        return output.ToString();
    }
}
