using Paddock.Cli.Studies;
using Paddock.Evaluation;
using Spectre.Console;

namespace Paddock.Tests.Cli;

public sealed class ResultTableTests
{
    [Theory]
    [InlineData(3, 80, 1)]
    [InlineData(4, 80, 2)]
    [InlineData(4, 100, 1)]
    [InlineData(3, 40, 3)]
    [InlineData(3, 10_000, 1)]
    public void Annotators_that_the_screen_has_no_room_for_stand_below(int annotators, int width, int tables)
    {
        string[] names = [.. new[] { "simulated", "human", "gold", "judge" }.Take(annotators)];
        StudyDocument document = new("study", 1, [Method("sft", names, isBaseline: true), Method("expert iteration", names, isBaseline: false)], "report.html");
        IReadOnlyList<Table> drawn = ResultTable.Tables(document, "sft", width);
        Assert.Equal(tables, drawn.Count);
        using StringWriter text = new();
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(text), Ansi = AnsiSupport.No, ColorSystem = ColorSystemSupport.NoColors });
        console.Profile.Width = width;
        foreach (Table table in drawn)
            console.Write(table);
        string[] lines = [.. text.ToString().Split('\n').Where(line => line.Length > 0)];
        Assert.Equal(3 * tables, lines.Length); // nothing wrapped
        Assert.All(lines, line => Assert.InRange(line.TrimEnd().Length, 1, width));
        Assert.DoesNotContain("…", text.ToString(), StringComparison.Ordinal);
        Assert.Equal(2 * annotators, text.ToString().Split("64.1±0.8").Length - 1);
        Assert.Equal(annotators, text.ToString().Split("-13.8±0.7").Length - 1);
    }

    private static MethodDocument Method(string name, string[] annotators, bool isBaseline) => new(name, annotators.ToDictionary(a => a, _ => new Estimate(0.641, 0.008, 805)),
        isBaseline ? null : annotators.ToDictionary(a => a, _ => new DifferenceDocument(-0.138, 0.007)), null, new(0, 0, 0), new(0, 0, 0), new Dictionary<string, Estimate>());
}
