using System.CommandLine;
using Paddock.Cli.Studies;
using Paddock.Engine;
using Paddock.Reports;
using Paddock.Studies;

namespace Paddock.Cli.Verbs;

/// <summary><c>paddock report STUDY</c>: what a finished study found, in the terminal, as Markdown or as HTML.</summary>
internal static class ReportVerb
{
    public static Command Create()
    {
        Argument<string> study = new("study") { Description = "A study of the runs, one seed of it (study/seed-2), or its folder." };
        Option<string> runs = CommonOptions.Runs();
        Option<bool> markdown = new("--markdown") { Description = "Prints Markdown." };
        Option<string?> html = new("--html") { Description = "Writes the HTML report to this file." };
        Option<bool> json = CommonOptions.Json();
        Command command = new("report", "Show what a finished study found: in the terminal, as Markdown, as HTML.") { study, runs, markdown, html, json };
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(markdown) && parsed.GetValue(json))
                throw new BadInputException("--markdown and --json both want standard output; give one of them");
            RunsFolder folder = new(parsed.GetValue(runs)!);
            IReadOnlyList<StudySummary> seeds = FinishedStudies.Read(folder, parsed.GetRequiredValue(study));
            string page = parsed.GetValue(html) ?? new StudyFolder(FinishedStudies.Folder(folder, parsed.GetRequiredValue(study))).Report;
            if (parsed.GetValue(html) != null)
                StudyReport.Write(page, seeds, TimeProvider.System);
            if (parsed.GetValue(markdown))
            {
                Console.Out.Write(MarkdownReport.Render(seeds, TimeProvider.System.GetUtcNow()));
                return ExitCodes.Done;
            }
            // no time passed: nothing ran
            StudyDocument document = StudyDocuments.Of(seeds, 0, page);
            ResultTable.Show(document, seeds[0], parsed.GetValue(json));
            if (parsed.GetValue(json))
                Console.Out.WriteLine(StudyDocuments.Serialize(document));
            return ExitCodes.Done;
        });
        return command;
    }
}
