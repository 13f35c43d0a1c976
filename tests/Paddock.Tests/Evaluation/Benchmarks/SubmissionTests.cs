using System.Text.Json;
using Paddock.Data.Formats;
using Paddock.Engine;
using Paddock.Evaluation.Benchmarks;
using Paddock.Tests.Shared;
using Paddock.Tests.Storage;

namespace Paddock.Tests.Evaluation.Benchmarks;

public sealed class SubmissionTests
{
    private static string Prompts(TemporaryFolder folder, int count) => folder.Write("prompts.jsonl", string.Concat(Enumerable.Range(0, count).Select(i => $"{{\"prompt\":\"question {i}\"}}\n")));

    private static void Write(TemporaryFolder folder, IEnumerable<(string Prompt, string Answer, string Generator)> rows) =>
        folder.Write("model_outputs.json", JsonSerializer.Serialize(rows.Select(row => new { instruction = row.Prompt, output = row.Answer, generator = row.Generator })));

    private static string[] Failed(TemporaryFolder folder, string prompts, string? training = null) =>
        [.. Submission.Check(folder.Path, prompts, training).Where(finding => !finding.Passed).Select(finding => finding.Check)];

    [Fact]
    public void A_whole_submission_passes_every_check()
    {
        using TemporaryFolder folder = new();
        string prompts = Prompts(folder, 40);
        Write(folder, Enumerable.Range(0, 40).Select(i => ($"question {i}", $"answer {i}", "me")));
        folder.Write("README.md", "# Me\n");
        Assert.Equal(8, Submission.Check(folder.Path, prompts, null).Count);
        Assert.Empty(Failed(folder, prompts));
        Assert.Empty(Failed(folder, prompts, folder.Write("other.jsonl", "{\"prompt\":\"else\"}\n")));
    }

    [Fact]
    public void What_is_wrong_is_found()
    {
        using TemporaryFolder folder = new();
        string prompts = Prompts(folder, 40);
        // 38 answers, one prompt twice, one unasked, four empty, two names, no card
        Write(folder, Enumerable.Range(0, 37).Select(i => ($"question {(i == 5 ? 4 : i)}", i < 4 ? "" : $"answer {i}", i == 0 ? "you" : "me")).Append(("what?", "that", "me")));
        Assert.Equal(["card", "one system", "duplicate prompts", "missing prompts", "other prompts", "empty answers", "contamination"], Failed(folder, prompts, prompts));
    }

    [Fact]
    public void One_answer_to_everything_is_caught_also_behind_a_different_end()
    {
        using TemporaryFolder folder = new();
        string prompts = Prompts(folder, 40);
        folder.Write("card.md", "x");
        Write(folder, Enumerable.Range(0, 40).Select(i => ($"question {i}", "the same", "me")));
        Assert.Equal(["constant answers"], Failed(folder, prompts));
        Write(folder, Enumerable.Range(0, 40).Select(i => ($"question {i}", new string('x', 90) + i, "me")));
        Assert.Equal(["constant openings"], Failed(folder, prompts));
    }

    [Fact]
    public void A_folder_without_outputs_is_told()
    {
        using TemporaryFolder folder = new();
        Assert.Contains("holds no outputs; expected model_outputs.json", Assert.Throws<BadInputException>(() => Submission.Check(folder.Path, Prompts(folder, 1), null)).Message, StringComparison.Ordinal);
        Assert.Contains("no such folder", Assert.Throws<BadInputException>(() => Submission.Check(folder.File("absent"), Prompts(folder, 1), null)).Message, StringComparison.Ordinal);
    }

    /// <summary>The constant answer that reached 86.5 length-controlled on the public leaderboard, and an honest model beside it.</summary>
    [SharedFact]
    public void The_null_model_does_not_get_through()
    {
        string baseline = SharedFolder.Get("data", "alpaca_eval2", "baseline_gpt4_1106_preview.json.gz");
        Assert.Contains("constant answers", Submission.Check(SharedFolder.Get("data", "alpaca_eval2", "models", "NullModel"), baseline, null).Where(finding => !finding.Passed).Select(finding => finding.Check));
        Assert.Equal(["card"], Submission.Check(SharedFolder.Get("data", "alpaca_eval2", "models", "claude-2.1"), baseline, null).Where(finding => !finding.Passed).Select(finding => finding.Check));
        Assert.Equal(805, AlpacaEvalOutputFormat.Read(baseline).Count());
    }
}
