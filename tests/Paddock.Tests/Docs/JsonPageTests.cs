using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using Paddock.Cli.Audits;
using Paddock.Cli.Judging;
using Paddock.Cli.Studies;
using Paddock.Cli.Verbs;
using Paddock.Evaluation.Benchmarks;
using Paddock.Studies;
using Paddock.Worlds;

namespace Paddock.Tests.Docs;

/// <summary>docs/json.md names every field of the documents that verbs print.</summary>
public sealed class JsonPageTests
{
    [Theory]
    [InlineData(typeof(StudyDocument))]
    [InlineData(typeof(MeadowExhibit))]
    [InlineData(typeof(PlanDocument))]
    [InlineData(typeof(StatusDocument))]
    [InlineData(typeof(CleanDocument))]
    [InlineData(typeof(ForecastDocument))]
    [InlineData(typeof(JudgeDocument))]
    [InlineData(typeof(DiffDocument))]
    [InlineData(typeof(WinrateVerb.WinrateDocument))]
    [InlineData(typeof(LeaderboardVerb.LeaderboardDocument))]
    [InlineData(typeof(LeaderboardVerb.CheckDocument))]
    [InlineData(typeof(HhVerb.HhDocument))]
    [InlineData(typeof(CoverageVerb.CoverageDocument))]
    public void Every_field_of_a_document_is_on_the_page(Type document)
    {
        HashSet<string> named = [.. Markdown.CodeSpans(Repository.Read("docs/json.md"))];
        string[] fields = [.. Fields(document, [], Camel).Distinct()];
        Assert.True(fields.Length >= 2, $"only {fields.Length} fields were found in {document.Name}");
        Assert.Equal([], fields.Where(field => !named.Contains(field)));
    }

    [Theory]
    [InlineData(typeof(AuditDocument))]
    [InlineData(typeof(JudgesDocument))]
    public void Every_field_of_an_audit_is_on_the_page(Type document)
    {
        // these are spelled as AlpacaEval spells its columns
        HashSet<string> named = [.. Markdown.CodeSpans(Repository.Read("docs/json.md"))];
        string[] fields = [.. Fields(document, [], Snake).Distinct()];
        Assert.True(fields.Length > 40, $"only {fields.Length} fields were found in {document.Name}");
        Assert.Equal([], fields.Where(field => !named.Contains(field)));
    }

    [Fact]
    public void Every_column_of_AlpacaEval_is_on_the_page()
    {
        HashSet<string> named = [.. Markdown.CodeSpans(Repository.Read("docs/json.md"))];
        Assert.Equal([], typeof(AlpacaEvalRow).GetProperties().Select(property => JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name)).Where(column => !named.Contains(column)));
    }

    [Fact]
    public void Every_fixed_file_of_a_stage_is_on_the_page()
    {
        StageFolder folder = new("stage");
        string page = Repository.Read("docs/json.md");
        Assert.All(new[] { folder.Description, folder.Metrics, folder.Outputs, folder.Timing, folder.Done }, path => Assert.Contains($"`{Path.GetFileName(path)}`", page, StringComparison.Ordinal));
    }

    private static string Snake(PropertyInfo property) => property.GetCustomAttribute<JsonPropertyNameAttribute>()?.Name ?? JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name);

    private static string Camel(PropertyInfo property) => JsonNamingPolicy.CamelCase.ConvertName(property.Name);

    private static IEnumerable<string> Fields(Type type, HashSet<Type> seen, Func<PropertyInfo, string> name)
    {
        if (type.Assembly.GetName().Name?.StartsWith("Paddock", StringComparison.Ordinal) == true && !type.IsEnum && seen.Add(type))
            foreach (PropertyInfo property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance))
            {
                yield return name(property);
                foreach (string inner in Fields(property.PropertyType, seen, name))
                    yield return inner;
            }
        foreach (Type argument in type.GetGenericArguments())
            foreach (string inner in Fields(argument, seen, name))
                yield return inner;
    }
}
