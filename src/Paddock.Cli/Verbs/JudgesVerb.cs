using System.CommandLine;
using System.Globalization;
using Paddock.Cli.Audits;
using Paddock.Cli.Terminal;
using Paddock.Evaluation;
using Paddock.Evaluation.Audits;
using Spectre.Console;

namespace Paddock.Cli.Verbs;

/// <summary><c>paddock judges</c>: the leaderboard of judges.</summary>
internal static class JudgesVerb
{
    public static Command Create()
    {
        Argument<string[]> files = new("file") { Description = "Verdicts of any number of judges; rows of one judge belong together whatever file they are in.", Arity = ArgumentArity.OneOrMore };
        AuditOptions options = new();
        Option<bool> json = CommonOptions.Json();
        Command command = new("judges", "Rank judges on one table: agreement with people, bias, variance, preferences of form, price.") { files, json };
        options.AddTo(command);
        command.SetAction(parsed =>
        {
            AuditSettings settings = options.Settings(parsed);
            List<PairVerdict> all = VerdictFiles.Read(parsed.GetValue(files)!);
            List<PairVerdict>? people = VerdictFiles.ReadPeople(options.People(parsed), all);
            List<JudgeAuditResult> audits = [.. all.GroupBy(v => v.Judge!, StringComparer.Ordinal).Select(own => JudgeAudit.Of(own.Key, [.. own], people, options.Own(parsed), settings))];
            audits = [.. Ranked(audits)];
            Show(audits, people != null, Screen.Result(parsed.GetValue(json)));
            if (parsed.GetValue(json))
                Console.Out.WriteLine(AuditDocuments.Serialize(new JudgesDocument([.. audits.Select(a => AuditDocuments.Of(a, settings, null))], people != null ? "human_agreement" : "variance")));
            return ExitCodes.Done;
        });
        return command;
    }

    /// <summary>By agreement with people, those without any last; else by variance, those asked once last.</summary>
    internal static IEnumerable<JudgeAuditResult> Ranked(IEnumerable<JudgeAuditResult> audits) =>
        audits.OrderByDescending(a => a.People?.Agreement.Mean ?? double.NegativeInfinity).ThenBy(a => a.Repeats?.Variance.Mean ?? double.PositiveInfinity).ThenBy(a => a.Judge, StringComparer.Ordinal);

    private static void Show(List<JudgeAuditResult> audits, bool people, IAnsiConsole console)
    {
        console.WriteLine(people ? "By agreement with people, in %; 95 % intervals" : "By variance, in %; 95 % intervals. Without --human how right a judge is cannot be known");
        List<(string Title, Func<JudgeAuditResult, string> Cell)> columns = people
            ? [("agreement", a => Cell(a.People?.Agreement)), ("bias", a => Cell(a.People?.Bias))]
            : [];
        columns.Add(("variance", a => Cell(a.Repeats?.Variance)));
        columns.Add(("longer", a => Share(a.Longer?.Judge)));
        columns.Add(("lists", a => Share(a.Lists?.Judge)));
        columns.Add(("first", a => Share(a.Position?.FirstWins)));
        columns.Add(("missing", a => a.MissingRate.Mean > 0 ? Share(a.MissingRate) : ""));
        columns.Add(("$/1000", a => a.Cost.PricePerThousand is { } price ? price.ToString("0.00", CultureInfo.InvariantCulture) : ""));
        // a column of which no judge has anything would only take room
        columns = [.. columns.Where(c => audits.Exists(a => c.Cell(a).Length > 0))];
        Table table = Screen.Table([Column.Number("#"), "judge", .. columns.Select(c => Column.Number(c.Title))]);
        for (int i = 0; i < audits.Count; i++)
            table.AddRow([$"{i + 1}", Markup.Escape(audits[i].Judge), .. columns.Select(c => Markup.Escape(c.Cell(audits[i])))]);
        console.Write(table);
        if (people && audits.Exists(a => a.People is { People: not null }))
            console.WriteLine($"people themselves: {Cell(audits.First(a => a.People is { People: not null }).People!.People)}");
    }

    // ends without decimals: three such columns fit a screen
    private static string Cell(Interval? value) => value == null || !double.IsFinite(value.Low) ? Share(value) : string.Create(CultureInfo.InvariantCulture, $"{Share(value)} {100 * value.Low:0}-{100 * value.High:0}");

    private static string Share(Interval? value) => value == null || !double.IsFinite(value.Mean) ? "" : (100 * value.Mean).ToString("0.0", CultureInfo.InvariantCulture);
}
