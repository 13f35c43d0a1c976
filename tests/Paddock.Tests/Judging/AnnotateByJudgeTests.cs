using System.Text.Json;
using Paddock.Data;
using Paddock.Engine;
using Paddock.Judging;
using Paddock.Studies;
using Paddock.Studies.Stages;
using Paddock.Tests.Stages;

namespace Paddock.Tests.Judging;

/// <summary>The annotate stage with a judge from a file.</summary>
public sealed class AnnotateByJudgeTests
{
    [Fact]
    public void A_recipe_names_a_judge_by_its_file()
    {
        using TinyStudy study = new();
        string file = Judge(study);
        AnnotateStage stage = (AnnotateStage)TinyStudy.Read(Recipe(file)).Stages[1];
        Assert.Equal($"file:{file}", stage.Annotator);
        Assert.Equal(stage, ((IReadOnlyList<IStage>)TinyStudy.Read(TinyStudy.Read(Recipe(file)).ToYaml(StageCatalog.Table)).Stages)[1]);
        Assert.Contains("no file 'nowhere.yaml'", Assert.Throws<BadInputException>(() => TinyStudy.Read(Recipe("nowhere.yaml"))).Message, StringComparison.Ordinal);
        File.WriteAllText(file, "name: j\nfrom: x\n");
        Assert.Contains("unknown key 'from'", Assert.Throws<BadInputException>(() => TinyStudy.Read(Recipe(file))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_study_learns_preferences_from_a_judge_and_keeps_its_verdicts()
    {
        using TinyStudy study = new();
        string file = Judge(study);
        FakeChat chat = new(prompt => prompt.Length % 2 == 0 ? "A" : "B");
        StudyServices services = study.Services with { OpenJudge = (settings, place) => new JudgeAnnotator(new ChatJudge(settings, settings.Model!, chat, null, place), 4) };
        StudyManifest manifest = await new StudyRunner(services, new StudyOptions(Path.Combine(study.Root, "runs")), study.Observer).RunAsync(TinyStudy.Read(Recipe(file)), default);
        StageFolder stage = study.Stage(manifest, "labels");
        JsonElement[] verdicts = [.. File.ReadLines(stage.File("verdicts.jsonl")).Select(line => JsonDocument.Parse(line).RootElement)];
        Assert.Equal(chat.Calls, verdicts.Length);
        Assert.Equal(verdicts.Length, File.ReadLines(stage.File("outputs.jsonl")).Count());
        Assert.True(verdicts.Length > 4);
        // the verdicts are preferences for whoever reads AlpacaEval's annotations
        Preference[] read = [.. Paddock.Data.DataFiles.ReadPreferences(stage.File("verdicts.jsonl"))];
        Assert.Equal(verdicts.Length, read.Length);
        Assert.All(verdicts, row => Assert.Equal(0, row.GetProperty("time_per_example").GetDouble()));
    }

    private static string Judge(TinyStudy study)
    {
        string file = Path.Combine(study.Root, "judge.yaml");
        File.WriteAllText(file, "name: j\nmodel: judge-1\n");
        return file;
    }

    private static string Recipe(string file) => $$$"""
        study: judged
        seed: 3
        world: meadow
        model: base
        stages:
          - sample:   {name: answers, from: base, split: preference, n: 2, temperature: 1.0, max-tokens: 8, limit: 12}
          - annotate: {name: labels, of: answers, annotator: {file: "{{{file}}}"}}
        """;
}
