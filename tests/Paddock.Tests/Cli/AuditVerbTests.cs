using System.Text.Json;
using System.Xml.Linq;
using Paddock.Tests.Shared;
using Paddock.Tests.Storage;

namespace Paddock.Tests.Cli;

[Collection(ConsoleTests.Name)]
public sealed class AuditVerbTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void One_document_with_alpaca_eval_s_names()
    {
        string a = Write("seed0.json", Row("p", 1, "j", 0.01), Row("q", 2, "j", 0.03)), b = Write("seed1.json", Row("p", 1, "j"), Row("q", 1.5, "j"));
        Outcome outcome = CommandLine.Run("audit", a, b, "--json", "--resamples", "200");
        Assert.Equal(0, outcome.Code);
        JsonElement document = Assert.Single(outcome.Rows);
        Assert.Equal("j", document.GetProperty("judge").GetString());
        Assert.Equal(25, document.GetProperty("variance").GetDouble(), 1e-12);
        Assert.Equal(4, document.GetProperty("n_parsed").GetInt32());
        Assert.Equal(1 - 1.5 / 4, document.GetProperty("proba_prefer_1").GetDouble(), 1e-12);
        Assert.Equal(20, document.GetProperty("price_per_thousand").GetDouble(), 1e-12);
        Assert.Equal(JsonValueKind.Null, document.GetProperty("proba_prefer_longer").ValueKind);
        Assert.Equal(JsonValueKind.Null, document.GetProperty("agreement").GetProperty("human").ValueKind);
        Assert.Equal(0.5, document.GetProperty("agreement").GetProperty("self").GetProperty("percent").GetProperty("mean").GetDouble(), 1e-12);
        Assert.Contains("variance", outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void The_page_in_the_terminal_and_as_html()
    {
        string verdicts = Write("v.jsonl", Row("p<b>", 1, "judge & jury"), Row("q", 2, "judge & jury"), Row("r", null, "judge & jury", reason: "refused: no"));
        string people = Write("people.json", Row("p<b>", 1, "ann"), Row("p<b>", 1, "bob"), Row("q", 1, "ann"), Row("q", 2, "bob"));
        string html = Path.Combine(_folder.Path, "audit.html");
        Outcome outcome = CommandLine.Run("audit", verdicts, "--human", people, "--html", html, "--resamples", "200");
        Assert.Equal(0, outcome.Code);
        Assert.Contains("human agreement", outcome.Out, StringComparison.Ordinal);
        Assert.Contains("refused: no 1", outcome.Out, StringComparison.Ordinal);
        Assert.Contains("judge & jury", outcome.Out, StringComparison.Ordinal);
        Assert.Contains("Not measured:", outcome.Out, StringComparison.Ordinal);
        string page = File.ReadAllText(html);
        Assert.StartsWith("<!DOCTYPE html>", page, StringComparison.Ordinal);
        Assert.Contains("judge &amp; jury", page, StringComparison.Ordinal);
        Assert.Contains("Reliability of the judge", page, StringComparison.Ordinal);
        Assert.DoesNotContain("http", page.Replace("http-equiv", "", StringComparison.Ordinal), StringComparison.Ordinal);
        XElement root = XElement.Parse(System.Text.RegularExpressions.Regex.Replace(page["<!DOCTYPE html>\n".Length..], "<(meta [^>]*?)/?>", "<$1 />"), LoadOptions.PreserveWhitespace);
        Assert.True(root.Descendants("section").Count() >= 5);
        Assert.All(root.Descendants("svg").Where(svg => svg.Attribute("role") != null), svg => Assert.NotEmpty(svg.Element("desc")!.Value));
    }

    [Fact]
    public void Both_orders_and_the_calls_behind_a_verdict_tell_position()
    {
        string rows = Write("calls.jsonl",
            """{"instruction":"p","output_1":"a","output_2":"b","preference":1.5,"state":"tie","calls":[{"shown":"1,2","value":1},{"shown":"2,1","value":2}]}""",
            """{"instruction":"q","output_1":"a","output_2":"b","preference":2,"state":"judged","calls":[{"shown":"1,2","value":2},{"shown":"2,1","value":2}]}""",
            """{"instruction":"r","output_1":"a","output_2":"b","preference":null,"state":"unparsed","reason":"no verdict found","calls":[]}""");
        JsonElement document = Assert.Single(CommandLine.Run("audit", rows, "--json", "--resamples", "200").Rows), position = document.GetProperty("position");
        Assert.Equal(1, document.GetProperty("missing").GetProperty("unparsed").GetInt32());
        // on p the first shown won twice; on q b won in both orders
        Assert.Equal(0.75, position.GetProperty("first_wins").GetProperty("mean").GetDouble(), 1e-12);
        Assert.Equal(0.5, position.GetProperty("consistency").GetProperty("mean").GetDouble(), 1e-12);
        Assert.Equal(0.5, position.GetProperty("flip_rate").GetProperty("mean").GetDouble(), 1e-12);
    }

    [Fact]
    public void Judges_are_ranked_by_agreement_with_people()
    {
        string verdicts = Write("v.json", Row("p", 1, "wrong"), Row("q", 1, "wrong"), Row("p", 2, "right"), Row("q", 2, "right"));
        string people = Write("people.json", Row("p", 2, "ann"), Row("q", 2, "ann"));
        Outcome outcome = CommandLine.Run("judges", verdicts, "--human", people, "--json", "--resamples", "200");
        JsonElement document = Assert.Single(outcome.Rows);
        Assert.Equal(["right", "wrong"], document.GetProperty("judges").EnumerateArray().Select(j => j.GetProperty("judge").GetString()));
        Assert.Equal([100, 0], document.GetProperty("judges").EnumerateArray().Select(j => j.GetProperty("human_agreement").GetDouble()));
        Assert.Equal("human_agreement", document.GetProperty("order").GetString());
    }

    [Fact]
    public void A_judge_that_turned_round_ends_with_an_alarm()
    {
        string[] before = [.. Enumerable.Range(0, 60).Select(i => Row($"{i}", 1, "j"))], now = [.. Enumerable.Range(0, 60).Select(i => Row($"{i}", i % 3 == 0 ? 1 : 2, "j"))];
        string old = Write("old.json", before);
        Outcome outcome = CommandLine.Run("audit", Write("now.json", now), "--anchor", old, "--resamples", "200", "--json");
        Assert.Equal(1, outcome.Code);
        Assert.Equal("preferences moved to one side", outcome.Rows[0].GetProperty("drift").GetProperty("alarm").GetString());
        Assert.Equal(0, CommandLine.Run("audit", old, "--anchor", old, "--resamples", "200").Code);
    }

    [Theory]
    [InlineData("""{"instruction":"p","output_1":"a","output_2":"b","preference":0.5}""", "expected 1 to 2")]
    [InlineData("""{"instruction":"p","output_1":"a","output_2":"b","preference":"A"}""", "expected a number")]
    [InlineData("""{"instruction":"p","output_1":1,"output_2":"b","preference":1}""", "output_1: expected a string")]
    [InlineData("""{"instruction":"p","output":"a"}""", "where verdicts are needed")]
    public void A_bad_row_is_told_with_its_place(string row, string message)
    {
        Outcome outcome = CommandLine.Run("audit", Write("bad.jsonl", row));
        Assert.Equal(2, outcome.Code);
        Assert.Contains("bad.jsonl", outcome.Error, StringComparison.Ordinal);
        Assert.Contains(message, outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void What_cannot_be_compared_is_refused()
    {
        string verdicts = Write("v.json", Row("p", 1, "j")), others = Write("o.json", Row("other", 1, "ann"));
        Assert.Contains("none of its labelled pairs is among the verdicts", CommandLine.Run("audit", verdicts, "--human", others).Error, StringComparison.Ordinal);
        Assert.Contains("none of its judged pairs is among the verdicts", CommandLine.Run("audit", verdicts, "--anchor", others).Error, StringComparison.Ordinal);
        Assert.Contains("--resamples must be from 100", CommandLine.Run("audit", verdicts, "--resamples", "1").Error, StringComparison.Ordinal);
        Assert.Contains("needs FILE", CommandLine.Run("audit").Error, StringComparison.Ordinal);
        Assert.Contains("no such file", CommandLine.Run("audit", Path.Combine(_folder.Path, "absent.json")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Preferences_of_people_serve_as_labels()
    {
        string verdicts = Write("v.json", Row("p", 2, "j")), people = Write("people.jsonl", """{"prompt":"p","chosen":"b","rejected":"a"}""");
        JsonElement document = Assert.Single(CommandLine.Run("audit", verdicts, "--human", people, "--json", "--resamples", "200").Rows);
        Assert.Equal(100, document.GetProperty("human_agreement").GetDouble());
    }

    [SharedFact]
    public void The_published_judge_from_its_four_files()
    {
        string[] files = [.. Enumerable.Range(0, 4).Select(seed => SharedFolder.Get("data", "judges_4seeds", $"gpt4_b1_seed{seed}.json.gz"))];
        JsonElement document = Assert.Single(CommandLine.Run(["audit", .. files, "--json", "--resamples", "200"]).Rows);
        Assert.Equal(14.930555555555555, document.GetProperty("variance").GetDouble(), 1e-10);
        Assert.Equal(0.6, document.GetProperty("proba_prefer_longer").GetDouble(), 1e-12);
        Assert.Equal(2592, document.GetProperty("n_parsed").GetInt32());
        Assert.Equal("gpt4_b1", document.GetProperty("judge").GetString());
    }

    private string Write(string name, params string[] rows)
    {
        string path = Path.Combine(_folder.Path, name);
        File.WriteAllText(path, name.EndsWith(".jsonl", StringComparison.Ordinal) ? string.Join('\n', rows) + "\n" : $"[{string.Join(",\n", rows)}]");
        return path;
    }

    private static string Row(string prompt, double? preference, string annotator, double? price = null, string? reason = null) => JsonSerializer.Serialize(new Dictionary<string, object?>
    {
        ["instruction"] = prompt,
        ["output_1"] = "a",
        ["output_2"] = "b",
        ["preference"] = preference,
        ["annotator"] = annotator,
        ["price_per_example"] = price,
        ["reason"] = reason,
    });
}
