using System.Text.Json;
using Paddock.Tests.Shared;
using Paddock.Tests.Storage;

namespace Paddock.Tests.Cli;

[Collection(ConsoleTests.Name)]
public sealed class EvaluationVerbTests
{
    private static JsonElement Run(params string[] args)
    {
        Outcome outcome = CommandLine.Run([.. args, "--json"]);
        Assert.True(outcome.Code == 0, outcome.Error);
        return Assert.Single(outcome.Rows);
    }

    private static string Annotations(TemporaryFolder folder, params string[] preferences) => folder.Write("annotations.json",
        $"[{string.Join(',', preferences.Select((p, i) => $"{{\"instruction\":\"i{i}\",\"output_1\":\"base {i}\",\"output_2\":\"mine{new string('!', i)}\",\"generator_1\":\"base\",\"generator_2\":\"mine\",\"preference\":{p}}}"))}]");

    [Fact]
    public void Annotations_become_the_leaderboard_s_columns()
    {
        using TemporaryFolder folder = new();
        string board = folder.File("board.csv");
        JsonElement row = Run("alpaca-eval", Annotations(folder, "2", "1", "1.5", "0", "1.9", "null"), "--leaderboard", board).GetProperty("models")[0];
        Assert.Equal("mine", row.GetProperty("name").GetString());
        Assert.Equal(100 * 2.9 / 5, row.GetProperty("win_rate").GetDouble(), 1e-10);
        Assert.Equal(60, row.GetProperty("discrete_win_rate").GetDouble(), 1e-10);
        Assert.Equal((2, 1, 2, 5, 1), (Whole("n_wins"), Whole("n_wins_base"), Whole("n_draws"), Whole("n_total"), Whole("no_verdict")));
        Assert.Equal(6, Whole("avg_length")); // 4 + (0 + 1 + .. + 5)/6 = 6.5, cut
        Assert.Equal(JsonValueKind.Null, row.GetProperty("length_controlled_winrate").ValueKind);
        Run("alpaca-eval", Annotations(folder, "2", "2", "1"), "--name", "other", "--leaderboard", board, "--mode", "dev");
        string[] lines = File.ReadAllLines(board);
        Assert.Equal(["other", "mine"], lines.Skip(1).Select(line => line.Split(',')[0]));
        Assert.Equal(",win_rate,standard_error,n_wins,n_wins_base,n_draws,n_total,discrete_win_rate,mode,avg_length,length_controlled_winrate,lc_standard_error", lines[0]);
        Assert.Contains(",dev,", lines[1], StringComparison.Ordinal);

        int Whole(string column) => row.GetProperty(column).GetInt32();
    }

    [Fact]
    public void A_refit_without_difficulties_is_labelled_minimal_and_has_an_interval()
    {
        using TemporaryFolder folder = new();
        JsonElement row = Run("alpaca-eval", Annotations(folder, "2", "1", "1.5", "1", "2", "1", "1", "2", "1.2", "1"), "--refit", "--resamples", "100").GetProperty("models")[0];
        Assert.Equal("minimal", row.GetProperty("lc_method").GetString());
        Assert.InRange(row.GetProperty("length_controlled_winrate").GetDouble(), row.GetProperty("lc_low").GetDouble(), row.GetProperty("lc_high").GetDouble());
    }

    [Theory]
    [InlineData("--lc-weights needs --lc-difficulty", "--lc-weights", "w.csv")]
    [InlineData("--lc-gamed goes with --lc-gamed-sums", "--lc-gamed", "g.json")]
    [InlineData("--resamples must be from 100 to 100000, not 3", "--resamples", "3")]
    [InlineData("--outputs: none are by 'mine'", "--outputs", "TWO")]
    public void Options_that_do_not_fit_are_told(string message, params string[] options)
    {
        using TemporaryFolder folder = new();
        string two = folder.Write("two.json", "[{\"instruction\":\"i\",\"output\":\"o\",\"generator\":\"a\"},{\"instruction\":\"i\",\"output\":\"o\",\"generator\":\"b\"}]");
        Outcome outcome = CommandLine.Run(["alpaca-eval", Annotations(folder, "1", "2"), .. options.Select(option => option == "TWO" ? two : option)]);
        Assert.Equal(2, outcome.Code);
        Assert.Contains(message, outcome.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("x,y\n1,2\n", ":1: expected the columns node and weight")]
    [InlineData("node,weight\n1,0.4\n2,0.4\n", "masses of 0 or more that sum to 1")]
    [InlineData("node,weight\n1,many\n", ":2: weight: expected a number, not 'many'")]
    [InlineData("node,weight\n1\n", ":2: 1 fields where the header has 2")]
    [InlineData("node,\"weight\n", ":1: a quote is left open")]
    [InlineData("", "the file is empty")]
    public void A_bad_difficulty_file_is_told_where(string text, string message)
    {
        using TemporaryFolder folder = new();
        string weights = folder.Write("w.csv", ",np.tanh(std_delta_len),instruction_difficulty,not_gamed_baseline.astype(float)\nmine,-1,1,0.5\n");
        Outcome outcome = CommandLine.Run("alpaca-eval", Annotations(folder, "1", "2"), "--lc-weights", weights, "--lc-difficulty", folder.Write("d.csv", text));
        Assert.Equal(2, outcome.Code);
        Assert.Contains(message, outcome.Error, StringComparison.Ordinal);
    }

    [SharedFact]
    public void Real_annotations_give_the_published_row()
    {
        string data = SharedFolder.Get("data", "alpaca_eval2"), model = Path.Combine(data, "models", "NullModel");
        JsonElement row = Run("alpaca-eval", Path.Combine(model, "annotations.json.gz"), "--outputs", Path.Combine(model, "model_outputs.json.gz"),
            "--lc-weights", Path.Combine(data, "lc_weights.csv"), "--lc-difficulty", Path.Combine(data, "lc_difficulty_quadrature.csv")).GetProperty("models")[0];
        Assert.Equal("NullModel", row.GetProperty("name").GetString()); // its files say 'example'
        Assert.Equal(76.91979180386511, row.GetProperty("win_rate").GetDouble(), 1e-8);
        Assert.Equal(86.45780691307947 - 0.13279, row.GetProperty("length_controlled_winrate").GetDouble(), 1e-5);
        Assert.Equal((676, 129, 0, 805, 872), (row.GetProperty("n_wins").GetInt32(), row.GetProperty("n_wins_base").GetInt32(), row.GetProperty("n_draws").GetInt32(), row.GetProperty("n_total").GetInt32(), row.GetProperty("avg_length").GetInt32()));
    }

    private static string Scores(TemporaryFolder folder, string name, int rows, Func<int, string> score, int first = 0) =>
        folder.Write(name, string.Concat(Enumerable.Range(first, rows).Select(i => $"{{\"id\":{i},\"score\":{score(i)}}}\n")));

    [Fact]
    public void Verdicts_alone_are_a_plain_rate_and_several_a_prompt_a_clustered_one()
    {
        using TemporaryFolder folder = new();
        string plain = Scores(folder, "a.jsonl", 10, i => i < 6 ? "1" : i == 6 ? "0.5" : i == 9 ? "null" : "0");
        JsonElement rate = Run("winrate", plain);
        Assert.Equal(6.5 / 9, rate.GetProperty("mean").GetDouble(), 1e-12);
        Assert.Equal((9, "normal", 1), (rate.GetProperty("n").GetInt32(), rate.GetProperty("method").GetString(), rate.GetProperty("missing").GetInt32()));
        Assert.Equal(2, rate.GetProperty("ci").GetArrayLength());
        JsonElement twice = Run("winrate", plain, plain);
        Assert.Equal((9, "clustered"), (twice.GetProperty("n").GetInt32(), twice.GetProperty("method").GetString()));
        Assert.Equal(rate.GetProperty("se").GetDouble(), twice.GetProperty("se").GetDouble(), 1e-12);
    }

    [Fact]
    public void Human_labels_and_a_judge_make_one_rate()
    {
        using TemporaryFolder folder = new();
        string judge = Scores(folder, "judge.jsonl", 400, i => i % 5 < 3 ? "1" : "0"), human = Scores(folder, "human.jsonl", 60, i => i % 5 < 3 == (i % 10 != 0) ? "1" : "0");
        JsonElement rate = Run("winrate", judge, "--human", human);
        Assert.Equal("PPI++", rate.GetProperty("method").GetString());
        Assert.Equal(60, rate.GetProperty("n").GetInt32());
        Assert.InRange(rate.GetProperty("lambda").GetDouble(), 0.4, 1);
        Assert.True(rate.GetProperty("se").GetDouble() < rate.GetProperty("human").GetProperty("se").GetDouble());
        Assert.Equal(0.6, rate.GetProperty("judge").GetProperty("mean").GetDouble(), 1e-12);
        JsonElement few = Run("winrate", judge, "--human", Scores(folder, "few.jsonl", 12, i => i % 2 == 0 ? "1" : "0"));
        Assert.Equal((0.5, "human labels alone (fewer than 30)"), (few.GetProperty("mean").GetDouble(), few.GetProperty("method").GetString()));
        Outcome strangers = CommandLine.Run("winrate", judge, "--human", Scores(folder, "strangers.jsonl", 5, _ => "1", first: 1000));
        Assert.Equal(2, strangers.Code);
        Assert.Contains("no human label is on an item that has a verdict", strangers.Error, StringComparison.Ordinal);
    }

    private static string Battles(TemporaryFolder folder)
    {
        List<string> rows = [];
        foreach ((string a, string b, int wins, int losses, int ties) in new[] { ("ann", "bob", 14, 6, 3), ("ann", "cid", 17, 3, 2), ("bob", "cid", 12, 8, 4) })
            for (int i = 0; i < wins + losses + ties; i++)
                rows.Add($"{{\"question_id\":\"q{rows.Count}\",\"model_a\":\"{a}\",\"model_b\":\"{b}\",\"winner\":\"{(i < wins ? "model_a" : i < wins + losses ? "model_b" : i % 2 == 0 ? "tie" : "tie (bothbad)")}\"}}");
        return folder.Write("battles.jsonl", string.Join('\n', rows));
    }

    [Fact]
    public void Battles_make_a_leaderboard_with_intervals_and_one_seed_one_result()
    {
        using TemporaryFolder folder = new();
        string battles = Battles(folder);
        JsonElement board = Run("leaderboard", battles, "--ties", "davidson", "--anchor", "cid", "--anchor-rating", "900", "--resamples", "200");
        JsonElement[] systems = [.. board.GetProperty("systems").EnumerateArray()];
        Assert.Equal(["ann", "bob", "cid"], systems.Select(system => system.GetProperty("name").GetString()));
        Assert.Equal(900, systems[2].GetProperty("rating").GetDouble(), 1e-9);
        Assert.Equal(1, systems[0].GetProperty("rankLow").GetInt32());
        Assert.True(board.GetProperty("tie").GetDouble() > 0);
        Assert.Equal((69, 69), (board.GetProperty("battles").GetInt32(), board.GetProperty("prompts").GetInt32()));
        Assert.Equal(board.GetRawText(), Run("leaderboard", battles, "--ties", "davidson", "--anchor", "cid", "--anchor-rating", "900", "--resamples", "200").GetRawText());
        JsonElement ann = Run("winrate", battles, "--system", "ann");
        Assert.Equal(45, ann.GetProperty("n").GetInt32());
        Assert.Equal(24, ann.GetProperty("others").GetInt32());
    }

    [Theory]
    [InlineData("{\"model_a\":\"a\",\"model_b\":\"b\",\"winner\":\"c\"}", "winner: expected model_a, model_b, tie or tie (bothbad), not 'c'")]
    [InlineData("{\"model_a\":\"a\",\"model_b\":\"a\",\"winner\":\"tie\"}", "model_b: the same model as model_a")]
    [InlineData("{\"id\":1,\"score\":1.5}", "score: expected a number from 0 to 1, not 1.5")]
    [InlineData("{\"score\":1}", "id: missing; expected an id, or the text of the prompt")]
    [InlineData("{\"id\":1}", "score: missing; expected rows with 'score'")]
    [InlineData("{\"id\":1,\"score\":1,\"system\":\"a\"}", "names nothing that 'a' is compared with")]
    [InlineData("{\"model_a\":\"a\",\"model_b\":\"b\",\"winner\":\"model_a\"}", "give a ridge above 0")]
    public void A_bad_verdict_is_told_where(string row, string message)
    {
        using TemporaryFolder folder = new();
        Outcome outcome = CommandLine.Run("leaderboard", folder.Write("v.jsonl", row + "\n"));
        Assert.Equal(2, outcome.Code);
        Assert.Contains(message, outcome.Error, StringComparison.Ordinal);
    }

    [SharedFact]
    public void Public_annotations_are_ranked_also_at_equal_style()
    {
        string[] files = [.. new[] { "alpaca-7b", "vicuna-7b", "claude-2.1", "NullModel" }.Select(model => SharedFolder.Get("data", "alpaca_eval2", "models", model, "annotations.json.gz"))];
        string[] Names(JsonElement board) => [.. board.GetProperty("systems").EnumerateArray().Select(system => system.GetProperty("name").GetString()!)];
        Assert.Equal(["example", "gpt4_1106_preview", "claude-2.1", "vicuna-7b", "alpaca-7b"], Names(Run(["leaderboard", .. files, "--resamples", "100"])));
        JsonElement style = Run(["leaderboard", .. files, "--style", "--resamples", "100"]);
        Assert.True(style.GetProperty("style")[0].GetProperty("effect").GetDouble() > 0); // length helps
        Assert.Equal("length", style.GetProperty("style")[0].GetProperty("feature").GetString());
    }

    [Fact]
    public void The_Meadow_s_judges_and_authors_have_two_sides()
    {
        JsonElement result = Run("hh");
        JsonElement[] accuracy = [.. result.GetProperty("accuracy").EnumerateArray()];
        Assert.Equal(["human", "pool", "judge", "longer"], accuracy.Select(row => row.GetProperty("judge").GetString()).Distinct());
        Assert.Equal(["helpful", "harmless"], accuracy.Select(row => row.GetProperty("set").GetString()).Distinct());
        Assert.True(Of("human", "helpful") > Of("longer", "helpful"));
        JsonElement[] systems = [.. result.GetProperty("systems").EnumerateArray()];
        Assert.Contains(systems, system => system.GetProperty("onFrontier").GetBoolean());
        Assert.True(Share("nervous", "overRefuses") > Share("expert", "overRefuses"));
        Assert.True(Share("complier", "harmless") < Share("expert", "harmless"));

        double Of(string judge, string set) => accuracy.Single(row => row.GetProperty("judge").GetString() == judge && row.GetProperty("set").GetString() == set).GetProperty("accuracy").GetProperty("mean").GetDouble();

        double Share(string system, string field) => systems.Single(row => row.GetProperty("system").GetString() == system).GetProperty(field).GetProperty("mean").GetDouble();
    }

    [SharedFact]
    public void People_s_pairs_are_read_and_what_declines_is_counted()
    {
        JsonElement result = Run("hh", SharedFolder.Get("data", "hh_rlhf", "harmless-base-test.jsonl.gz"), SharedFolder.Get("data", "constitutional", "438HHHEvaluations.jsonl.gz"));
        JsonElement[] accuracy = [.. result.GetProperty("accuracy").EnumerateArray()];
        Assert.Equal(["longer", "declining", "longer", "declining"], accuracy.Select(row => row.GetProperty("judge").GetString()));
        Assert.InRange(accuracy[0].GetProperty("accuracy").GetProperty("n").GetInt32(), 2200, 2312);
        Assert.Equal(438, accuracy[2].GetProperty("accuracy").GetProperty("n").GetInt32());
        JsonElement declined = result.GetProperty("declined")[0];
        Assert.True(declined.GetProperty("chosen").GetProperty("mean").GetDouble() > declined.GetProperty("rejected").GetProperty("mean").GetDouble()); // harmlessness data rewards evasion
    }

    [Fact]
    public void A_policy_cannot_judge_pairs()
    {
        using TemporaryFolder folder = new();
        Outcome outcome = CommandLine.Run("hh", "--model", TinyMeadow.Write(folder.File("model")));
        Assert.Equal(2, outcome.Code);
        Assert.Contains("is no reward model; it has no scalar head", outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Coverage_of_few_repetitions_is_printed_and_judged()
    {
        Outcome outcome = CommandLine.Run("coverage", "--repetitions", "3", "--bootstrap-repetitions", "1", "--json");
        JsonElement row = Assert.Single(outcome.Rows).GetProperty("intervals")[0];
        Assert.Equal(3, row.GetProperty("repetitions").GetInt32());
        Assert.Equal("Nominal", row.GetProperty("kind").GetString());
        Assert.Equal(1, outcome.Code); // three samples cannot show 93 to 97 %
        Assert.Equal(2, CommandLine.Run("coverage", "--repetitions", "0").Code);
    }
}
