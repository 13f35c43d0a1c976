using System.Reflection;
using System.Text.Json;
using System.Text.RegularExpressions;
using Paddock.Backends;
using Paddock.Cli;
using Paddock.Engine.Models;
using Paddock.Studies.Stages;

namespace Paddock.Tests.Docs;

/// <summary>Pages name files, types, links and verbs; all of them are there.</summary>
public sealed partial class NamesInPagesTests
{
    private const BindingFlags Any = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.FlattenHierarchy;

    // names that pages write as code and that are not of this code base
    private static readonly string[] Foreign = ["DONE"];

    private static readonly Type[] Types = [.. new[] { typeof(TrainableTransformer).Assembly, typeof(Sequence).Assembly, typeof(FrontDoor).Assembly, typeof(NamesInPagesTests).Assembly, typeof(TimeProvider).Assembly }.SelectMany(a => a.GetTypes())];

    [GeneratedRegex(@"^(?:[A-Z][A-Za-z0-9]*)(?:\.[A-Z][A-Za-z0-9]*)?$")]
    private static partial Regex TypeName { get; }

    [GeneratedRegex(@"^(?:[\w.-]+/)+[\w.-]*$")]
    private static partial Regex PathName { get; }

    [GeneratedRegex(@"([A-Z]\w+)Verb\.Create\(\)")]
    private static partial Regex VerbLine { get; }

    public static TheoryData<string> AllPages => [.. Repository.Pages];

    [Theory]
    [InlineData("CONTRIBUTING.md")]
    [InlineData("docs/architecture.md")]
    [InlineData("docs/statistics.md")]
    [InlineData("docs/evaluation.md")]
    [InlineData("docs/world.md")]
    [InlineData("docs/how-to/add-a-family.md")]
    public void Every_file_that_a_page_names_exists(string page)
    {
        string[] spans = [.. Markdown.CodeSpans(Repository.Read(page))];
        // what lies in a folder of runs is made, not kept, and what lies beside the repository is not part of it
        IEnumerable<string> paths = spans.Where(s => PathName.IsMatch(s) && !s.StartsWith("runs/", StringComparison.Ordinal) && !s.StartsWith("../", StringComparison.Ordinal)
            && (s.EndsWith('/') || s.Contains('.', StringComparison.Ordinal)));
        IEnumerable<string> sources = spans.Where(s => s.EndsWith(".cs", StringComparison.Ordinal) && !s.Contains('/', StringComparison.Ordinal));
        Assert.Equal([], paths.Where(path => !Repository.Exists(path)));
        Assert.Equal([], sources.Where(source => !Repository.Files.Any(file => file.EndsWith("/" + source, StringComparison.Ordinal))));
    }

    [Theory]
    [InlineData("CONTRIBUTING.md")]
    [InlineData("docs/architecture.md")]
    [InlineData("docs/statistics.md")]
    [InlineData("docs/evaluation.md")]
    [InlineData("docs/world.md")]
    public void Every_type_and_member_that_a_page_names_exists(string page) =>
        Assert.Equal([], Markdown.CodeSpans(Repository.Read(page)).Where(span => TypeName.IsMatch(span) && !Foreign.Contains(span) && !IsKnown(span)).Distinct());

    [Theory]
    [MemberData(nameof(AllPages))]
    public void Every_relative_link_leads_somewhere(string page)
    {
        string folder = Path.GetDirectoryName(page)!;
        Assert.Equal([], Markdown.Links(Repository.Read(page))
            .Where(link => !link.Contains("://", StringComparison.Ordinal) && !link.StartsWith('#') && !link.StartsWith("mailto:", StringComparison.Ordinal))
            .Where(link => !Repository.Exists(Path.Combine(folder, link.Split('#')[0]))));
    }

    [Theory]
    [MemberData(nameof(AllPages))]
    public void Every_verb_that_a_page_names_is_one_of_the_program(string page)
    {
        HashSet<string> verbs = [.. VerbLine.Matches(Repository.Read("src/Paddock.Cli/Program.cs")).Select(match => JsonNamingPolicy.KebabCaseLower.ConvertName(match.Groups[1].Value)), .. StageCatalog.Table.Kinds, "sample-stage"];
        Assert.Contains("quickstart", verbs);
        Assert.Equal([], Markdown.Verbs(Repository.Read(page)).Where(verb => !verbs.Contains(verb)).Distinct());
    }

    [Fact]
    public void Every_recipe_that_a_page_names_exists() =>
        Assert.Equal([], Repository.Pages.SelectMany(page => Recipe.Matches(Repository.Read(page)).Select(match => match.Value)).Distinct().Where(recipe => !Repository.Exists(recipe)));

    [GeneratedRegex(@"recipes/[a-z0-9-]+\.yaml")]
    private static partial Regex Recipe { get; }

    private static bool IsKnown(string name)
    {
        string[] parts = name.Split('.');
        Type[] found = [.. Types.Where(type => type.Name.Split('`')[0] == parts[0])];
        return found.Length > 0 && (parts.Length == 1 || found.Any(type => type.GetMember(parts[1], Any).Length > 0));
    }
}
