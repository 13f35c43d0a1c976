namespace Paddock.Tests.Docs;

/// <summary>The annotated tree of the README: what it names is there, and what is there it names.</summary>
public sealed class ReadmeTreeTests
{
    private const string Heading = "## The tree";

    private static IReadOnlyList<(string Path, string Note)> Tree { get; } = [.. Parse(Markdown.FenceBelow(Repository.Read("README.md"), Heading))];

    [Fact]
    public void Every_path_of_the_tree_exists()
    {
        Assert.NotEmpty(Tree);
        Assert.Equal([], Tree.Select(line => line.Path).Where(path => !Repository.Exists(path)));
    }

    [Fact]
    public void Every_line_of_the_tree_says_what_it_is() =>
        Assert.Equal([], Tree.Where(line => line.Note.Length < 3).Select(line => line.Path));

    [Fact]
    public void Every_folder_of_the_root_and_of_the_sources_is_in_the_tree()
    {
        HashSet<string> named = [.. Tree.Select(line => line.Path.TrimEnd('/'))];
        IEnumerable<string> projects = Repository.FoldersOf("src").Select(project => $"src/{project}");
        IEnumerable<string> expected = Repository.FoldersOf("").Concat(projects).Concat(projects.SelectMany(project => Repository.FoldersOf(project).Select(folder => $"{project}/{folder}")));
        Assert.Equal([], expected.Where(folder => !named.Contains(folder)));
    }

    [Fact]
    public void A_line_takes_its_folder_from_the_indentation() =>
        Assert.Equal([("src/", "sources"), ("src/Engine/", "the engine"), ("docs/", "pages")], Parse(["src/      sources", "  Engine/   the engine", "docs/   pages"]));

    private static IEnumerable<(string Path, string Note)> Parse(IEnumerable<string> lines)
    {
        List<string> parents = [];
        foreach (string line in lines.Where(line => line.Trim().Length > 0))
        {
            string text = line.TrimStart();
            int depth = (line.Length - text.Length) / 2;
            string[] parts = text.Split(' ', 2);
            parents.RemoveRange(Math.Min(depth, parents.Count), Math.Max(0, parents.Count - depth));
            parents.Add(parts[0]);
            yield return (string.Concat(parents), parts.Length > 1 ? parts[1].Trim() : "");
        }
    }
}
