using Paddock.Engine.ChatTemplates;

namespace Paddock.Engine.Tests.ChatTemplates;

/// <summary>The public face, and what a hostile template meets.</summary>
public sealed class ChatTemplateTests
{
    private static readonly (string, string)[] Hello = [("user", "hello"), ("assistant", "hi")];

    private static string Render(string template) => new ChatTemplate(template).Render(Hello, addGenerationPrompt: true, "<s>", null);

    [Fact]
    public void A_template_sees_messages_prompt_flag_and_the_tokens_there_are() => Assert.Equal("<s>|user: hello|assistant: hi|True|False|False",
        Render("{{ bos_token }}{% for m in messages %}|{{ m.role }}: {{ m['content'] }}{% endfor %}|{{ add_generation_prompt }}|{{ eos_token is defined }}|{{ strftime_now is defined }}"));

    [Fact]
    public void A_template_can_be_rendered_many_times_with_the_same_result()
    {
        ChatTemplate template = new("{% set ns = namespace(n=0) %}{% for m in messages %}{% set ns.n = ns.n + 1 %}{% endfor %}{{ ns.n }}");
        for (int i = 0; i < 3; i++)
            Assert.Equal("2", template.Render(Hello, false, null, null));
    }

    [Theory]
    [InlineData("\n\n{{ raise_exception('Roles must alternate') }}", "chat template line 3: Roles must alternate")]
    [InlineData("a\n{{ messages[0].nope.deeper }}", "chat template line 2: 'dict object' has no attribute 'nope'")]
    [InlineData("{% if true %}\n{{ 'a' + 1 }}\n{% endif %}", "line 2: can only concatenate str (not \"int\") to str")]
    [InlineData("a\n{% frobnicate %}", "line 2: unknown or unsupported tag 'frobnicate'")]
    [InlineData("{% include 'x' %}", "line 1: unknown or unsupported tag 'include'")]
    [InlineData("{{ 1 | frobnicate }}", "line 1: no filter named 'frobnicate'")]
    [InlineData("{{ 1 is frobnicate }}", "line 1: no test named 'frobnicate'")]
    [InlineData("\n{{ 'abc }}", "line 2: string without its end '")]
    [InlineData("{{ x", "line 1: tag without its end '}}'")]
    [InlineData("{# x", "line 1: comment without its end")]
    [InlineData("{% raw %} x", "line 1: 'raw' without 'endraw'")]
    [InlineData("{% for x in y %}", "line 1: unexpected end of template; expected 'else' or 'endfor'")]
    [InlineData("{{ a b }}", "line 1: expected end of print statement")]
    [InlineData("{{ a ? b }}", "line 1: unexpected character '?'")]
    [InlineData("{% break %}", "line 1: 'break' outside of a loop")]
    [InlineData("{{ f(a=1, 2) }}", "line 1: a positional argument after a named one")]
    [InlineData("{% set messages.x = 1 %}", "line 1: cannot assign attribute on 'messages', which is no namespace")]
    [InlineData("{% set a, b = [1] %}", "line 1: expected 2 values to unpack, got 1")]
    public void An_error_is_one_message_with_its_line(string template, string message) =>
        Assert.Contains(message, Assert.Throws<BadInputException>(() => Render(template)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}", "does not end within")]
    [InlineData("{% for a in range(1000000000) %}{% endfor %}", "range too big")]
    [InlineData("{{ 'a' * 1000000000 }}", "a repetition of more than")]
    [InlineData("{{ ('a' * 9000000) * 90000000 }}", "does not end within")]
    [InlineData("{% set ns = namespace(x='aaaaaaaaaa') %}{% for i in range(100) %}{% set ns.x = ns.x + ns.x %}{% endfor %}", "does not end within")]
    [InlineData("{% set ns = namespace(x='aaaaaaaaaa') %}{% for i in range(100) %}{% set ns.x = ns.x | replace('a', ns.x) %}{% endfor %}", "does not end within")]
    [InlineData("{% set ns = namespace(x=[1]) %}{% for i in range(64) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x }}", "text is longer than")]
    [InlineData("{% set ns = namespace(x=[1]) %}{% for i in range(64) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x | tojson }}", "does not end within")]
    [InlineData("{% set ns = namespace(x=[1], y=[1]) %}{% for i in range(64) %}{% set ns.x = [ns.x, ns.x] %}{% set ns.y = [ns.y, ns.y] %}{% endfor %}{{ ns.x == ns.y }}", "a comparison of more than")]
    [InlineData("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "calls nested deeper than")]
    [InlineData("{{ 9 ** 9 ** 9 ** 9 ** 9 ** 9 }}", "a number of more than")]
    [InlineData("{{ 'a'.center(2000000000) }}", "padding needs")]
    [InlineData("{{ [] | tojson(indent=1000000000) }}", "indent must be from")]
    public void A_template_without_bounds_is_stopped(string template, string message) =>
        Assert.Contains(message, Assert.Throws<BadInputException>(() => Render(template)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("(", ")", "nested deeper")]
    [InlineData("-", "", "nested deeper")]
    [InlineData("not ", "", "nested deeper")]
    [InlineData("[", "]", "nested deeper")]
    [InlineData("1 + ", "", "operators in a row")]
    [InlineData("1 if 1 else ", "", "nested deeper")]
    public void Deep_expressions_are_refused(string open, string close, string message) => Assert.Contains(message, Assert.Throws<BadInputException>(
        () => Render("{{ " + string.Concat(Enumerable.Repeat(open, 20_000)) + "1" + string.Concat(Enumerable.Repeat(close, 20_000)) + " }}")).Message, StringComparison.Ordinal);

    [Fact]
    public void Deep_blocks_and_long_sources_are_refused()
    {
        Assert.Contains("blocks nested deeper", Assert.Throws<BadInputException>(() => new ChatTemplate(string.Concat(Enumerable.Repeat("{% if 1 %}", 5000)))).Message, StringComparison.Ordinal);
        Assert.Contains("at most 1048576", Assert.Throws<BadInputException>(() => new ChatTemplate(new string(' ', 2_000_000))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Nested_values_deeper_than_the_stack_are_an_error_not_a_crash() => Assert.Contains("nested too deeply", Assert.Throws<BadInputException>(
        () => Render("{% set ns = namespace(x=[]) %}{% for i in range(100000) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}")).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("{{ messages.append(1) }}")]
    [InlineData("{{ messages[0].update({'a': 1}) }}")]
    [InlineData("{{ messages[0].pop('role') }}")]
    [InlineData("{{ ''.__class__.__mro__ }}")]
    [InlineData("{{ messages.GetType() }}")]
    [InlineData("{{ range.Method }}{{ range.Method.x }}")]
    public void Nothing_but_the_listed_methods_can_be_reached(string template) => Assert.Throws<BadInputException>(() => Render(template));

    [Fact]
    public void Time_is_what_the_caller_says() => Assert.Equal("05 Mar 2024", new ChatTemplate("{{ strftime_now('%d %b %Y') }}")
        .Render(Hello, false, null, null, new DateTimeOffset(2024, 3, 5, 14, 7, 9, TimeSpan.Zero)));
}
