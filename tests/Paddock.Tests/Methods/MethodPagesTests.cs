using System.Text.RegularExpressions;
using Paddock.Methods;
using Paddock.Tests.Backends;
using Paddock.Tests.Shared;

namespace Paddock.Tests.Methods;

/// <summary>Names of metrics are a contract: a method logs exactly what its page lists, and what several methods share stays the same words.</summary>
public sealed partial class MethodPagesTests
{
    private static readonly string Pages = Path.Combine(SharedFolder.RepositoryRoot, "docs", "methods");

    private static readonly string Sources = Path.Combine(SharedFolder.RepositoryRoot, "src", "Paddock", "Methods");

    public static TheoryData<string> Names => MethodCase.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_method_logs_the_metrics_of_its_page(string name)
    {
        MethodCase method = MethodCase.Named(name);
        using TinyModel tiny = new();
        (StageMemory memory, _) = await MethodInvariantTests.RunAsync(method, tiny, new MethodRun(Epochs: 1));
        string[] listed = Metrics(method.Page);
        if (name == "sft without distributions")
            listed = [.. listed.Except(["entropy", "mean_token_accuracy"])]; // told by backends that have them
        Assert.All(memory.Rows, row => Assert.Equal(listed.Order(StringComparer.Ordinal), row.Metrics.Keys.Order(StringComparer.Ordinal)));
    }

    public static TheoryData<string> OnlineNames => OnlineCase.Names;

    [Theory]
    [MemberData(nameof(OnlineNames))]
    public async Task A_method_that_samples_logs_the_metrics_of_its_page(string name)
    {
        OnlineCase method = OnlineCase.Named(name);
        using TinyModel tiny = new();
        (StageMemory memory, _, _) = await OnlineMethodTests.RunAsync(method, tiny, new OnlineRun(Steps: 2));
        Assert.All(memory.Rows, row => Assert.Equal(Metrics(method.Page).Order(StringComparer.Ordinal), row.Metrics.Keys.Order(StringComparer.Ordinal)));
    }

    [Fact]
    public void Best_of_n_has_the_metrics_of_its_page() =>
        Assert.Equal(Metrics("best-of-n").Order(StringComparer.Ordinal), new BestOfN(new BestOfNSettings(1)).Metrics([new BestOfNChoice(0, [1])]).Keys.Order(StringComparer.Ordinal));

    [Fact]
    public void Every_page_names_its_source_and_every_link_leads_somewhere()
    {
        string[] pages = Directory.GetFiles(Pages, "*.md");
        Assert.True(pages.Length >= 6);
        foreach (string page in pages)
        {
            string text = File.ReadAllText(page);
            Assert.Matches(@"\]\(\.\./\.\./src/Paddock/Methods/\w+\.cs\)", text);
            foreach (Match link in Link().Matches(text))
                if (!link.Groups[1].Value.EndsWith("README.md", StringComparison.Ordinal)) // of the repository: checked with it
                    Assert.True(Path.Exists(Path.Combine(Pages, link.Groups[1].Value)), $"{Path.GetFileName(page)}: {link.Groups[1].Value}");
        }
    }

    [Fact]
    public void Every_method_names_a_page_that_is_there()
    {
        int named = 0;
        foreach (string file in Directory.GetFiles(Sources, "*.cs"))
            foreach (Match page in PageOf().Matches(File.ReadAllText(file)))
            {
                named++;
                Assert.True(File.Exists(Path.Combine(SharedFolder.RepositoryRoot, page.Value)), $"{Path.GetFileName(file)}: {page.Value}");
            }
        Assert.True(named >= 6);
    }

    [Fact]
    public void Shared_blocks_are_word_for_word_the_same()
    {
        Dictionary<string, List<(string File, string Text)>> blocks = [];
        foreach (string file in Directory.GetFiles(Sources, "*.cs"))
            foreach (Match block in SharedBlock().Matches(File.ReadAllText(file).ReplaceLineEndings("\n")))
            {
                string name = block.Groups[1].Value, text = block.Groups[2].Value;
                Assert.InRange(text.Count(c => c == '\n'), 1, 25);
                if (!blocks.TryGetValue(name, out List<(string, string)>? list))
                    blocks[name] = list = [];
                list.Add((Path.GetFileName(file), text));
            }
        Assert.True(blocks.Count > 0);
        foreach ((string name, List<(string File, string Text)> list) in blocks)
        {
            Assert.True(list.Count > 1, $"'{name}' is in {list[0].File} alone: nothing is shared");
            // the right-hand side of an assignment to a variable named otherwise would be a difference too
            Assert.All(list, block => Assert.Equal(list[0].Text, block.Text));
        }
    }

    // the names in the first column of the table below 'Metrics.', or in its paragraph where there is no table
    private static string[] Metrics(string page)
    {
        string text = File.ReadAllText(Path.Combine(Pages, page + ".md")).ReplaceLineEndings("\n");
        int start = text.IndexOf("**Metrics.**", StringComparison.Ordinal), end = text.IndexOf("\n**", start + 1, StringComparison.Ordinal);
        string section = end < 0 ? text[start..] : text[start..end];
        string[] rows = [.. section.Split('\n').Where(line => line.StartsWith('|')).Select(line => line.Split('|')[1])];
        string[] names = [.. Quoted().Matches(rows.Length > 0 ? string.Join(' ', rows) : section).Select(m => m.Groups[1].Value)];
        Assert.NotEmpty(names);
        Assert.Distinct(names);
        return names;
    }

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Quoted();

    [GeneratedRegex(@"\]\(([^)#:]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"docs/methods/[a-z-]+\.md")]
    private static partial Regex PageOf();

    [GeneratedRegex(@"#region shared: ([^\n]+)\n(.*?)#endregion", RegexOptions.Singleline)]
    private static partial Regex SharedBlock();
}
