using Paddock.Engine;
using Paddock.Judging;

namespace Paddock.Tests.Judging;

public sealed class PromptTemplateTests
{
    private static readonly Dictionary<string, string> Values = new() { ["instruction"] = "Say {output_1}", ["output_1"] = "one {output_2} {{x}}", ["output_2"] = "two" };

    [Fact]
    public void A_value_is_never_looked_at_for_placeholders() =>
        Assert.Equal("I: Say {output_1} A: one {output_2} {{x}} B: two", Fill("I: {instruction} A: {output_1} B: {output_2}"));

    [Fact]
    public void Braces_that_open_no_name_are_themselves_and_doubled_ones_are_one() =>
        Assert.Equal("""{"a": 1} {output_1} { } two}""", Fill("""{"a": 1} {{output_1}} { } {output_2}}"""));

    [Fact]
    public void A_name_that_is_no_placeholder_is_an_error_that_lists_them()
    {
        BadInputException error = Assert.Throws<BadInputException>(() => Fill("{output_3}"));
        Assert.StartsWith("judge.yaml: prompt[0].content: there is no placeholder {output_3}; placeholders: instruction,", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_role_that_is_none_is_an_error() =>
        Assert.Contains("'judge' is no role", Assert.Throws<BadInputException>(() => PromptTemplate.Compile([new("judge", "x")], "p")).Message, StringComparison.Ordinal);

    private static string Fill(string text) => PromptTemplate.Compile([new("user", text)], "judge.yaml: prompt").Fill(Values)[0].Content;
}
