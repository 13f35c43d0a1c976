using System.Text.RegularExpressions;

namespace Paddock.Tests.Docs;

/// <summary>What every file of the repository owes its readers.</summary>
public sealed partial class HouseholdTests
{
    private const long MaxTextBytes = 4 << 20;

    private static readonly string[] Binary = [".png", ".safetensors", ".gguf", ".gz", ".bin", ".npz", ".ico"];

    // home folders and private addresses of whoever wrote a file; the pieces keep this file from matching itself
    private static readonly Regex Machine = new($"(?<![\\w.])/(?:{string.Join('|', "work", "root", "home", "Users")})/[\\w.-]+|(?<![\\d.])1{"0"}(?:\\.\\d{{1,3}}){{3}}(?![\\d.])|(?<![\\d.])192{"."}168\\.\\d");

    [Fact]
    public void No_file_names_the_machine_it_was_written_on()
    {
        string[] files = [.. Repository.Files.Where(file => !Binary.Contains(Path.GetExtension(file)) && new FileInfo(Repository.PathOf(file)).Length < MaxTextBytes)];
        Assert.True(files.Length > 100, $"only {files.Length} files were found");
        Assert.Equal([], files.Where(file => Machine.IsMatch(File.ReadAllText(Repository.PathOf(file)))));
    }

    [Theory]
    [InlineData("see /home/" + "jane/notes", true)]
    [InlineData("at 10" + ".1.2.3 there", true)]
    [InlineData("version 10.0.12 of the runtime", false)]
    [InlineData("an arrow to src/work/item", false)]
    public void A_machine_is_told_from_other_text(string text, bool isMachine) => Assert.Equal(isMachine, Machine.IsMatch(text));

    [Fact]
    public void The_licence_is_Apache_2()
    {
        string licence = Repository.Read("LICENSE");
        Assert.Contains("Apache License", licence, StringComparison.Ordinal);
        Assert.Contains("Version 2.0, January 2004", licence, StringComparison.Ordinal);
        Assert.Contains("Apache-2.0", Repository.Read("README.md"), StringComparison.Ordinal);
    }

    [Fact]
    public void The_changelog_has_an_entry_for_the_version_that_is_built()
    {
        string version = Version.Match(Repository.Read("Directory.Build.props")).Groups[1].Value;
        Assert.NotEqual("", version);
        Assert.Contains($"\n## {version}", Repository.Read("CHANGELOG.md"), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_package_has_its_reason()
    {
        string reasons = Repository.Read("docs/dependencies.md");
        IEnumerable<string> used = Repository.Files.Where(file => file.EndsWith(".csproj", StringComparison.Ordinal) || file.EndsWith(".targets", StringComparison.Ordinal))
            .SelectMany(file => Package.Matches(Repository.Read(file)).Select(match => match.Groups[1].Value)).Distinct();
        Assert.NotEmpty(used);
        Assert.Equal([], used.Where(package => !reasons.Contains(package, StringComparison.Ordinal)));
    }

    [Fact]
    public void The_readme_gives_the_two_commands()
    {
        string readme = Repository.Read("README.md");
        Assert.Contains("./paddock quickstart", readme, StringComparison.Ordinal);
        Assert.Contains("dotnet test", readme, StringComparison.Ordinal);
    }

    [GeneratedRegex("<Version>([^<]+)</Version>")]
    private static partial Regex Version { get; }

    [GeneratedRegex("<PackageReference Include=\"([^\"]+)\"")]
    private static partial Regex Package { get; }
}
