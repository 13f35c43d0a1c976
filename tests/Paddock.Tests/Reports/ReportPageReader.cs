using System.Text.RegularExpressions;
using System.Xml.Linq;
using Paddock.Reports;

namespace Paddock.Tests.Reports;

/// <summary>A rendered page as a tree. Reading it proves that every element is closed and every character allowed.</summary>
internal sealed partial class ReportPageReader
{
    public ReportPageReader(params StudySummary[] seeds)
    {
        Html = StudyReport.Render(seeds, SampleStudy.Date);
        Assert.StartsWith("<!DOCTYPE html>\n<html lang=\"en\">", Html, StringComparison.Ordinal);
        // void elements are the only ones that HTML leaves open
        Root = XElement.Parse(VoidElement().Replace(Html["<!DOCTYPE html>\n".Length..], "<$1 />"), LoadOptions.PreserveWhitespace);
    }

    public string Html { get; }

    public XElement Root { get; }

    public string Text => Root.Element("body")!.Value;

    /// <summary>Cells of the row that begins with <paramref name="name"/>, in the table whose region has this label; white space made one blank.</summary>
    public string[] Row(string table, string name) => Assert.Single(Rows(table), row => row[0] == name || row[0].StartsWith(name + " ", StringComparison.Ordinal));

    public IReadOnlyList<string[]> Rows(string table) => [.. Root.Descendants("div").First(d => (string?)d.Attribute("aria-label") == table)
        .Descendants("tr").Select(row => row.Elements().Select(Cell).ToArray())];

    public XElement Section(string heading) => Root.Descendants("section").First(s => s.Element("h2")!.Value == heading);

    public bool HasSection(string heading) => Root.Descendants("h2").Any(h => h.Value == heading);

    private static string Cell(XElement cell) => Blanks().Replace(string.Join(" ", cell.DescendantNodes().OfType<XText>().Select(t => t.Value)), " ").Trim();

    [GeneratedRegex("<(meta [^>]*)>")]
    private static partial Regex VoidElement();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blanks();
}
