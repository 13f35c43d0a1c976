using System.Text;
using System.Xml.Linq;
using Paddock.Evaluation;
using Paddock.Reports;
using Paddock.Tests.Storage;

namespace Paddock.Tests.Reports;

public class StudyReportTests
{
    private const string RatesTable = "Table of win rates and costs";

    [Fact]
    public void Every_number_of_the_main_table_is_in_its_row()
    {
        ReportPageReader page = new(SampleStudy.Quickstart());
        string[] row = page.Row(RatesTable, "best-of-16");
        Assert.Equal(
        [
            "best-of-16 sft, best of 16 by rm", "64.2 ± 0.9 +16.1 ± 0.8", "66.8 ± 1.0 +13.6 ± 0.9", "65.5 ± 1.1 +14.5 ± 1.0", "91.0 ± 1.2 +47.0 ± 1.1",
            "3.31 ± 0.05", "11.84 ± 0.19", "1.87 ± 0.03", "2.61 TFLOP 412 k tokens 61.2 s", "384 MFLOP 189.4 tokens 0.0311 s",
        ], row);
        Assert.Equal(["sft", "48.1 ± 0.9 baseline"], page.Row(RatesTable, "sft")[..2]);
        Assert.Equal(["method", "simulated (pool)", "human panel", "gold (truth)", "rm (proxy)", "mean utility", "length, tokens", "KL to sft, nats"], page.Rows(RatesTable)[0][..8]);
    }

    [Fact]
    public void Several_seeds_show_their_mean_and_spread()
    {
        // pool rates of sft are 48.1, 48.5 and 48.9 %: mean 48.5, sd 0.4; between-seed error 0.23 is below the 0.87 within, which counts
        ReportPageReader page = new(SampleStudy.Quickstart(1), SampleStudy.Quickstart(2), SampleStudy.Quickstart(3));
        Assert.Equal(["48.5 ± 0.9 baseline", "0.4"], page.Row(RatesTable, "sft")[1..3]);
        Assert.Equal(["63.4 ± 0.9 +15.3 ± 0.8", "0.0"], page.Row(RatesTable, "expert iteration")[1..3]);
        Assert.Contains("means over 3 seeds", page.Text, StringComparison.Ordinal);
        Assert.Contains("./paddock run recipe.yaml --seeds 3", page.Text, StringComparison.Ordinal);
        Assert.Contains("One seed ran", new ReportPageReader(SampleStudy.Quickstart()).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Seeds_that_are_not_in_a_row_are_repeated_one_by_one()
    {
        ReportPageReader page = new(SampleStudy.Quickstart(3), SampleStudy.Quickstart(9));
        Assert.Contains("./paddock run recipe.yaml --seed 3\n./paddock run recipe.yaml --seed 9", page.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Missing_verdicts_stand_beside_the_rate_and_at_the_top()
    {
        ReportPageReader page = new(SampleStudy.Small(SampleStudy.System("sft", new(new(0.5, 0.1, 8), 3, 2, 3, 2, null)), SampleStudy.System("dpo", new(new(0.7, 0.1, 10), 6, 2, 2, 0, new(0.2, 0.05, 8)))));
        Assert.Equal("50.0 ± 10.0 2 missing baseline", page.Row(RatesTable, "sft")[1]);
        Assert.Equal("70.0 ± 10.0 +20.0 ± 5.0", page.Row(RatesTable, "dpo")[1]);
        Assert.Contains("2 verdicts of evaluation could not be given", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("could not be given", new ReportPageReader(SampleStudy.Quickstart()).Text, StringComparison.Ordinal);
        Assert.Equal(["sft", "simulated (pool)", "50.0 ± 10.0", "30.4 to 69.6", "3", "2", "3", "2"], page.Row("Table of verdicts", "sft"));
    }

    [Fact]
    public void Warnings_of_a_stage_are_shown_in_its_row_and_announced()
    {
        StudySummary study = SampleStudy.Quickstart();
        study = study with { Stages = [.. study.Stages.Select(s => s.Name == "rm" ? s with { Warnings = ["3 pairs were too long"] } : s)] };
        ReportPageReader page = new(study);
        Assert.Contains("Warning: 3 pairs were too long", page.Row("Table of stages", "rm")[2], StringComparison.Ordinal);
        Assert.Contains("Stage rm gave warnings", page.Root.Descendants("header").First().Value, StringComparison.Ordinal);
    }

    [Fact]
    public void Measures_stages_and_accuracies_have_their_numbers()
    {
        ReportPageReader page = new(SampleStudy.Quickstart());
        Assert.Equal(["dpo", "80.2 ± 1.3", "61.3 ± 4.4", "71.4 ± 5.4", "3.1 ± 0.7", "66.1 ± 1.6", "99.8 ± 0.2"], page.Row("Table of measures", "dpo"));
        Assert.Equal(["rm", "61.2 ± 1.1", "59.1 to 63.3", "2,000", "4", "0.654", "0.023"], page.Row("Table of accuracies", "rm"));
        Assert.Equal(["pairs", "sample", "6000 prompts, 2 answers each", "98.0 k", "100 GFLOP", "14.9"], page.Row("Table of stages", "pairs")[..6]);
        Assert.Equal(["all stages", "1.28 M", "8.96 TFLOP", "210"], page.Row("Table of stages", "all stages")[..4]);
        Assert.Contains("seed: 1\nworld: meadow", page.Section("Recipe, and how to repeat it").Value, StringComparison.Ordinal);
    }

    [Fact]
    public void The_Meadow_says_what_is_calibrated_and_which_prompts_overlap()
    {
        string text = new ReportPageReader(SampleStudy.Quickstart()).Text;
        Assert.Contains("calibrated inputs of the world, not findings", text, StringComparison.Ordinal);
        Assert.Contains("431 in sft", text, StringComparison.Ordinal);
        StudySummary other = SampleStudy.Quickstart();
        other = other with { Manifest = other.Manifest with { WorldFingerprint = "of another version" } };
        Assert.DoesNotContain("431 in sft", new ReportPageReader(other).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void One_seed_has_no_column_for_the_spread_between_seeds()
    {
        Assert.DoesNotContain("sd", new ReportPageReader(SampleStudy.Quickstart()).Rows(RatesTable)[1]);
        Assert.Equal(["win rate", "sd"], new ReportPageReader(SampleStudy.Quickstart(1), SampleStudy.Quickstart(2)).Rows(RatesTable)[1][..2]);
    }

    [Fact]
    public void Learning_curves_say_what_their_axes_are()
    {
        XElement[] figures = [.. new ReportPageReader(SampleStudy.Quickstart()).Section("Learning curves").Descendants("figure")];
        Assert.All(figures, figure => Assert.Single(figure.Descendants("text"), text => text.Value == "step"));
        string[] titles = [.. figures.Select(figure => figure.Element("figcaption")!.Value)];
        Assert.Contains("lossnats", titles);
        Assert.Contains("accuracyshare of pairs", titles);
        Assert.Contains("margin", titles); // a score has no unit
        Assert.Contains("In nats. From ", figures[0].Descendants("desc").Single().Value, StringComparison.Ordinal);
    }

    [Fact]
    public void Data_from_files_is_not_called_a_world()
    {
        StudySummary study = SampleStudy.Quickstart();
        string header = new ReportPageReader(study with { Manifest = study.Manifest with { World = "files" } }).Root.Descendants("header").Single().Value;
        Assert.DoesNotContain("world", header, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("files that the recipe names", header, StringComparison.Ordinal);
    }

    [Fact]
    public void The_chart_places_dots_and_whiskers_by_their_values()
    {
        // the axis runs from 20 to 80 % over 150..620: 50 % is in the middle; 60 % +- 1.96 * 5 points
        ReportPageReader page = new(SampleStudy.Small(SampleStudy.System("a", new(new(0.6, 0.05, 10), 5, 2, 3, 0, null)), SampleStudy.System("b", new(new(0.4, 0.05, 10), 3, 2, 5, 0, null))));
        XElement chart = page.Root.Descendants("svg").First(s => ((string?)s.Attribute("class"))!.Contains("wide", StringComparison.Ordinal));
        XElement half = chart.Descendants("line").First(l => (string?)l.Attribute("class") == "half"), whisker = chart.Descendants("line").First(l => (string?)l.Attribute("class") == "whisker");
        double at50 = (double)half.Attribute("x1")!, low = (double)whisker.Attribute("x1")!, high = (double)whisker.Attribute("x2")!;
        double perPoint = (high - low) / (2 * 1.959964 * 5);
        Assert.Equal(385, at50, 0.1);
        Assert.Equal(at50 + 10 * perPoint, (low + high) / 2, 0.2);
        Assert.Equal("Win rates with 95 % intervals", chart.Element("title")!.Value);
        Assert.Contains("a: 60.0 % by simulated (pool)", chart.Element("desc")!.Value, StringComparison.Ordinal);
    }

    [Fact]
    public void Hostile_text_is_only_ever_text()
    {
        const string Hostile = "<script>alert(1)</script>\" onload='x' &amp; </style></title>\u0001\u001b[31m\u202Eevil\uD800 \uFFFE]]>";
        const string Shown = "<script>alert(1)</script>\" onload='x' &amp; </style></title>\u2401\u241b[31m\uFFFDevil\uFFFD \uFFFD]]>";
        StudySummary study = HostileStudy(Hostile);
        ReportPageReader page = new(study);
        Assert.Empty(page.Root.Descendants("script"));
        Assert.Equal(new ReportPageReader(HostileStudy("plain")).Root.Descendants().Count(), page.Root.Descendants().Count());
        Assert.Equal(new ReportPageReader(HostileStudy("plain")).Root.Descendants().SelectMany(e => e.Attributes()).Count(), page.Root.Descendants().SelectMany(e => e.Attributes()).Count());
        Assert.DoesNotContain(page.Html, c => char.IsControl(c) && c != '\n');
        Assert.Equal(Shown + ": report", page.Root.Element("head")!.Element("title")!.Value);
        Assert.Equal(Shown, page.Root.Descendants("h1").Single().Value);
        string examples = page.Section("Sample answers").Value;
        Assert.Equal(6, examples.Split(Shown).Length - 1); // opponent, id, prompt, reference, system, answer
        Assert.Contains(Shown, page.Section("Stages").Value, StringComparison.Ordinal);
        Assert.Contains(Shown, page.Section("Recipe, and how to repeat it").Value, StringComparison.Ordinal);
        Assert.Contains(Shown, page.Section("Learning curves").Value, StringComparison.Ordinal);
        Assert.Contains(Shown, page.Section("Accuracy of reward models").Value, StringComparison.Ordinal);
    }

    [Fact]
    public void The_page_loads_nothing_and_runs_nothing()
    {
        ReportPageReader page = new(SampleStudy.Quickstart());
        string[] loading = ["src", "href", "srcset", "data", "action", "poster", "background"];
        Assert.DoesNotContain(page.Root.Descendants().SelectMany(e => e.Attributes()), a => loading.Contains(a.Name.LocalName) || a.Name.LocalName.StartsWith("on", StringComparison.Ordinal));
        Assert.DoesNotContain(page.Root.Descendants(), e => e.Name.LocalName is "script" or "link" or "iframe" or "object" or "img" or "base");
        string style = page.Root.Descendants("style").Single().Value;
        Assert.DoesNotContain("url(", style, StringComparison.Ordinal);
        Assert.DoesNotContain("@import", style, StringComparison.Ordinal);
        Assert.DoesNotContain("http", page.Html.Replace("http-equiv", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public void Headings_are_in_order_ids_are_unique_and_header_cells_say_what_they_head()
    {
        ReportPageReader page = new(SampleStudy.Quickstart(1), SampleStudy.Quickstart(2));
        int level = 0;
        foreach (XElement heading in page.Root.Descendants().Where(e => e.Name.LocalName is "h1" or "h2" or "h3" or "h4"))
        {
            int own = heading.Name.LocalName[1] - '0';
            Assert.True(own <= level + 1, $"'{heading.Value}' skips a level");
            level = own;
        }
        string[] ids = [.. page.Root.Descendants().Attributes("id").Select(a => a.Value)];
        Assert.Equal(ids.Length, ids.Distinct().Count());
        Assert.All(page.Root.Descendants("svg").Where(s => (string?)s.Attribute("role") == "img"), s => Assert.All(((string)s.Attribute("aria-labelledby")!).Split(' '), id => Assert.Contains(id, ids)));
        Assert.All(page.Root.Descendants("th"), th => Assert.NotNull(th.Attribute("scope")));
        Assert.All(page.Root.Descendants("table"), table => Assert.NotNull(table.Element("caption")));
    }

    [Fact]
    public void Same_summary_and_date_give_the_same_page()
    {
        Assert.Equal(StudyReport.Render(SampleStudy.Quickstart(), SampleStudy.Date), StudyReport.Render(SampleStudy.Quickstart(), SampleStudy.Date));
        Assert.Contains("2026-03-14 15:09 UTC", StudyReport.Render(SampleStudy.Quickstart(), SampleStudy.Date), StringComparison.Ordinal);
    }

    [Fact]
    public void A_study_without_results_still_has_a_report()
    {
        ReportPageReader page = new(SampleStudy.Empty());
        Assert.Contains("no systems were compared", page.Text.ReplaceLineEndings(" "), StringComparison.Ordinal);
        Assert.False(page.HasSection("Learning curves"));
        Assert.False(page.HasSection("Sample answers"));
        Assert.Throws<ArgumentOutOfRangeException>(() => StudyReport.Render([], SampleStudy.Date));
    }

    [Fact]
    public void Numbers_that_do_not_exist_are_dashes()
    {
        Estimate none = new(double.NaN, double.NaN, 0);
        ReportPageReader page = new(SampleStudy.Small(SampleStudy.System("sft", new(none, 0, 0, 0, 10, none), ("utility", none), ("exact", new(0.5, double.NaN, 1)))));
        Assert.Equal("– 10 missing –", page.Row(RatesTable, "sft")[1]);
        Assert.Equal("–", page.Row(RatesTable, "sft")[2]);
        Assert.Equal("50.0", page.Row("Table of measures", "sft")[1]);
        Assert.DoesNotContain("NaN", page.Html, StringComparison.Ordinal);
        _ = new ReportPageReader(SampleStudy.Small());
    }

    [Fact]
    public void Long_answers_are_cut_before_the_file_grows_too_large()
    {
        StudySummary study = SampleStudy.Quickstart();
        EvaluationSummary evaluation = study.Evaluations[0];
        ExampleAnswers[] examples = [.. Enumerable.Range(0, 40).Select(i => new ExampleAnswers($"long-{i}", "<prompt>", new string('é', 30_000),
            [.. evaluation.Result.Systems.Select(s => new ExampleAnswer(s.Name, new string('<', 30_000), false, new Dictionary<string, double?>()))]))];
        ReportPageReader page = new(study with { Evaluations = [evaluation with { Result = evaluation.Result with { Examples = examples } }] });
        Assert.InRange(Encoding.UTF8.GetByteCount(page.Html), 100_000, 500_000);
        Assert.Contains("cut: 29,500 more characters", page.Text, StringComparison.Ordinal);
        Assert.Contains("more prompts are left out", page.Text, StringComparison.Ordinal);
        Assert.True(Encoding.UTF8.GetByteCount(new ReportPageReader(SampleStudy.Quickstart(1), SampleStudy.Quickstart(2), SampleStudy.Quickstart(3)).Html) < 500_000);
    }

    [Fact]
    public void Unfinished_answers_and_missing_preferences_are_marked()
    {
        XElement section = new ReportPageReader(SampleStudy.Quickstart()).Section("Sample answers");
        Assert.Equal(3, section.Descendants("span").Count(s => s.Value == "unfinished")); // prompts 1, 5 and 9
        Assert.Contains("missing", section.Value, StringComparison.Ordinal);
        Assert.Contains("0.71", section.Value, StringComparison.Ordinal);
    }

    [Fact]
    public void The_file_is_written_whole_and_dated_by_the_given_clock()
    {
        using TemporaryFolder folder = new();
        string path = folder.File("deep/report.html");
        StudyReport.Write(path, SampleStudy.Quickstart(), new FixedTime());
        Assert.Equal(StudyReport.Render(SampleStudy.Quickstart(), SampleStudy.Date), File.ReadAllText(path));
        Assert.Single(Directory.GetFiles(Path.GetDirectoryName(path)!));
    }

    private static StudySummary HostileStudy(string text)
    {
        AnnotatorResult verdicts = new(new(0.6, 0.1, 9), 5, 1, 3, 1, new(0.1, 0.1, 9));
        SystemResult system = new(text, "policy" + text, text, 2, new Dictionary<string, AnnotatorResult> { ["by " + text] = verdicts },
            new Dictionary<string, Estimate> { ["utility"] = new(1, 0.1, 9), ["my " + text] = new(1, 0.1, 9) }, new(1, 1));
        EvaluationResult result = new("split " + text, 10, text, text, 1, true, ["by " + text], [system],
            [new(text, text, text, [new ExampleAnswer(text, text, false, new Dictionary<string, double?> { ["by other"] = 0.5 })])]);
        StudySummary study = SampleStudy.Empty();
        return study with
        {
            Study = text,
            RecipeYaml = text,
            Manifest = study.Manifest with { World = text, PaddockVersion = text, Machine = study.Manifest.Machine with { Processor = text, System = text, Tier = text } },
            Stages = [new StageSummary(text, "kind " + text, text, text, text, new(1, 1, 1), [text], new Dictionary<string, IReadOnlyList<(int, double)>> { [text] = [(0, 1), (1, 2)] })],
            Evaluations = [new("stage " + text, result, new Dictionary<string, Cost>(), new Dictionary<string, double>())],
            Accuracies = [(text, new AccuracyResult(text, [new ModelAccuracy(text, new(0.5, 0.1, 9), 0.4, 0.6, 1, 0.7, 0.1)]))],
        };
    }

    private sealed class FixedTime : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => SampleStudy.Date;
    }
}
