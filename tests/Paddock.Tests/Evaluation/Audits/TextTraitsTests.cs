using Paddock.Evaluation;
using Paddock.Evaluation.Audits;

namespace Paddock.Tests.Evaluation.Audits;

public class TextTraitsTests
{
    [Theory]
    [InlineData("- one", true)]
    [InlineData("Here:\n  * one\n  * two", true)]
    [InlineData("\u2022 dot", true)]
    [InlineData("1. first", true)]
    [InlineData("intro\n\n12) twelfth", true)]
    [InlineData("a) first", true)]
    [InlineData("B. second", true)]
    [InlineData("\n\n\t3.four", true)]
    [InlineData("-5 degrees", true)] // a dash at the start of a line is a bullet
    [InlineData("plain text, a - b, 1. inside", false)]
    [InlineData("a.m. is early", false)] // a letter needs a blank behind its point
    [InlineData("1 first", false)]
    [InlineData("-", false)]
    [InlineData("* ", false)]
    [InlineData("2.", false)]
    [InlineData("--- !!!", false)]
    [InlineData("", false)]
    [InlineData("\u00e9) accent", false)]
    [InlineData("* \U0001D7D9", true)] // a digit outside the basic plane is a word
    public void A_list_begins_a_line_with_a_marker_and_a_word_follows(string text, bool isList) => Assert.Equal(isList, TextTraits.HasList(text));

    [Fact]
    public void A_long_text_without_words_is_read_once()
    {
        Assert.False(TextTraits.HasList(string.Concat(Enumerable.Repeat("- \n", 200_000))));
        Assert.False(TextTraits.HasList(new string(' ', 500_000)));
        Assert.True(TextTraits.HasList(string.Concat(Enumerable.Repeat("text\n", 100_000)) + "- end"));
    }

    [Theory]
    [InlineData("", 0)]
    [InlineData("abc", 3)]
    [InlineData("日本語😀", 4)]
    [InlineData("e\u0301", 2)]
    public void Length_is_in_code_points(string text, int length) => Assert.Equal(length, TextLength.CodePoints(text));

    [Fact]
    public void Half_a_pair_is_one_code_point() => Assert.Equal(3, TextLength.CodePoints("a" + (char)0xD83D + "b"));
}
