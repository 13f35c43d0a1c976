using Paddock.Data;
using Paddock.Engine;
using Paddock.Judging;
using Paddock.Judging.Clients;

namespace Paddock.Tests.Judging;

/// <summary>What judges say, whatever stands behind them: swapped answers, orders, noise, juries.</summary>
public sealed class ChatJudgeTests
{
    [Theory]
    [InlineData(JudgeOrder.Seeded)]
    [InlineData(JudgeOrder.Both)]
    public async Task Swapping_the_answers_swaps_the_verdict(JudgeOrder order)
    {
        // a judge that likes position A, but not always
        FakeChat chat = new(prompt => prompt.Length % 3 == 0 ? "B" : "A");
        ChatJudge judge = Cases.Judge(new("j", Order: order, Noise: 0.1), chat);
        int decided = 0;
        for (int i = 0; i < 60; i++)
        {
            Comparison pair = Cases.Pair(i, $"one {i * i}", $"two {i}");
            double preference = (await judge.JudgeAsync(pair, default)).Preference!.Value;
            Assert.Equal(3 - preference, (await judge.JudgeAsync(pair.Swapped(), default)).Preference!.Value, 12);
            decided += preference != 1.5 ? 1 : 0;
        }
        Assert.True(decided > 5);
    }

    [Fact]
    public async Task A_judge_that_always_says_A_prefers_nothing_over_both_orders()
    {
        ChatJudge judge = Cases.Judge(new("j", Order: JudgeOrder.Both), new FakeChat(_ => "A"));
        for (int i = 0; i < 10; i++)
            Assert.Equal((1.5, VerdictState.Tie, 2), await Short(judge, Cases.Pair(i)));
    }

    [Fact]
    public async Task A_judge_that_always_says_A_prefers_either_about_as_often_in_seeded_order()
    {
        ChatJudge judge = Cases.Judge(new("j"), new FakeChat(_ => "A"));
        double sum = 0;
        for (int i = 0; i < 400; i++)
            sum += (await judge.JudgeAsync(Cases.Pair(i), default)).Preference!.Value;
        Assert.InRange(sum / 400, 1.4, 1.6);
    }

    [Fact]
    public async Task An_answer_ties_with_itself_and_nobody_is_asked()
    {
        FakeChat chat = new(_ => "A");
        Assert.Equal((1.5, VerdictState.Tie, 0), await Short(Cases.Judge(new("j", Noise: 0.5), chat), Cases.Pair(1, "same", "same")));
        Assert.Equal(0, chat.Calls);
    }

    [Fact]
    public async Task An_honest_judge_finds_the_good_answer_in_every_order()
    {
        foreach (JudgeOrder order in Enum.GetValues<JudgeOrder>())
            for (int i = 0; i < 8; i++)
            {
                Assert.Equal(1, (await Cases.Judge(new("j", Order: order), Cases.Honest).JudgeAsync(Cases.Pair(i), default)).Preference);
                Assert.Equal(2, (await Cases.Judge(new("j", Order: order), Cases.Honest).JudgeAsync(Cases.Pair(i).Swapped(), default)).Preference);
            }
    }

    [Fact]
    public async Task Noise_flips_its_share_and_what_it_replaces_is_never_asked()
    {
        FakeChat chat = Cases.Honest;
        ChatJudge judge = Cases.Judge(new("j", Noise: 0.25), chat);
        int flipped = 0;
        for (int i = 0; i < 2000; i++)
            flipped += (await judge.JudgeAsync(Cases.Pair(i), default)).Preference == 2 ? 1 : 0;
        // four standard errors about the means of 500 and 1000
        Assert.InRange(flipped, 500 - 78, 500 + 78);
        Assert.InRange(chat.Calls, 1000 - 90, 1000 + 90);
    }

    [Fact]
    public async Task A_verdict_keeps_all_it_rests_on()
    {
        JudgeVerdict verdict = await Cases.Judge(new("j", Form: JudgeForm.Reasoned), new FakeChat(_ => "Both fine.\nVerdict: tie")).JudgeAsync(Cases.Pair(1), default);
        JudgeCall call = Assert.Single(verdict.Calls);
        Assert.Equal(("Both fine.", "Both fine.\nVerdict: tie", "served", "fp", "stop", 0.5), (call.Trace, call.Reply, call.ServedModel, call.Fingerprint, call.Finish, call.Seconds));
        Assert.Equal((100 * 1 + 2 * 2) / 1e6, verdict.Price!.Value, 15);
        Assert.Contains("Question 1?", call.Messages[1].Content, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_reply_that_cannot_be_read_is_asked_for_again_and_paid_for()
    {
        FakeChat chat = new((_, call) => FakeChat.Reply(call < 3 ? "hm" : "tie"));
        JudgeVerdict verdict = await Cases.Judge(new("j", Tries: 3), chat).JudgeAsync(Cases.Pair(1), default);
        Assert.Equal((VerdictState.Tie, 3, 300L), (verdict.State, verdict.Calls[0].Tries, verdict.Calls[0].InputTokens));
        JudgeVerdict missing = await Cases.Judge(new("j", Tries: 2), new FakeChat(_ => "hm")).JudgeAsync(Cases.Pair(1), default);
        Assert.Equal((null, VerdictState.Unparsed, "no verdict in the reply"), (missing.Preference, missing.State, missing.Reason));
        Assert.Equal("not readable: no verdict in the reply", missing.ToVerdict().MissingReason);
    }

    [Theory]
    [InlineData("content_filter", VerdictState.Refused)]
    [InlineData("length", VerdictState.CutOff)]
    public async Task Refusals_and_cut_offs_are_missing_with_their_reason(string finish, VerdictState state)
    {
        JudgeVerdict verdict = await Cases.Judge(new("j"), new FakeChat((_, _) => FakeChat.Reply("I", finish))).JudgeAsync(Cases.Pair(1), default);
        Assert.Equal((null, state), (verdict.Preference, verdict.State));
        Assert.NotNull(verdict.Reason);
    }

    [Fact]
    public async Task Half_a_verdict_is_none()
    {
        FakeChat chat = new((_, call) => FakeChat.Reply(call == 1 ? "A" : "hm"));
        JudgeVerdict verdict = await Cases.Judge(new("j", Order: JudgeOrder.Both), chat).JudgeAsync(Cases.Pair(1), default);
        Assert.Equal((null, VerdictState.Unparsed, 2), (verdict.Preference, verdict.State, verdict.Calls.Count));
    }

    [Fact]
    public async Task Log_probs_are_averaged_over_both_orders()
    {
        // 0.8 for whatever is shown first
        TokenLogProb token = new("m", Math.Log(0.8), [new("m", Math.Log(0.8)), new("M", Math.Log(0.2))]);
        FakeChat chat = new((_, _) => FakeChat.Reply("m", logProbs: [token]));
        Assert.Equal(1.5, (await Cases.Judge(new("j", Form: JudgeForm.LogProb, Order: JudgeOrder.Both), chat).JudgeAsync(Cases.Pair(1), default)).Preference!.Value, 12);
        Assert.Equal(1.2, (await Cases.Judge(new("j", Form: JudgeForm.LogProb, Order: JudgeOrder.Given), chat).JudgeAsync(Cases.Pair(1), default)).Preference!.Value, 12);
    }

    [Fact]
    public async Task Marks_of_each_answer_alone_are_compared()
    {
        ChatJudge judge = Cases.Judge(new("j", Form: JudgeForm.Pointwise), new FakeChat(prompt => prompt.Contains("good answer", StringComparison.Ordinal) ? "9" : "4"));
        JudgeVerdict verdict = await judge.JudgeAsync(Cases.Pair(1).Swapped(), default);
        Assert.Equal((2, "4 9"), ((int)verdict.Preference!, string.Join(' ', verdict.Calls.Select(c => c.Value))));
    }

    [Fact]
    public async Task A_constitution_draws_one_principle_or_asks_under_all()
    {
        FakeChat chat = new((prompt, _) =>
        {
            string letter = prompt.Contains("kind", StringComparison.Ordinal) ? "A" : "B";
            return FakeChat.Reply(letter, logProbs: [new(letter, 0, [new(letter, 0)])]);
        });
        JudgeSettings settings = new("j", Form: JudgeForm.Constitution, Order: JudgeOrder.Given, Principles: ["Be kind.", "Be brief."]);
        double[] drawn = new double[40];
        for (int i = 0; i < drawn.Length; i++)
            drawn[i] = (await Cases.Judge(settings, chat).JudgeAsync(Cases.Pair(i), default)).Preference!.Value;
        Assert.Equal([1.0, 2.0], drawn.Distinct().Order());
        Assert.Equal(1.5, (await Cases.Judge(settings with { EveryPrinciple = true }, chat).JudgeAsync(Cases.Pair(1), default)).Preference);
    }

    [Fact]
    public async Task Many_answers_are_ranked_in_their_own_order_whatever_order_was_shown()
    {
        // by the number in each answer, best first
        FakeChat chat = new(prompt => string.Join(" > ", Enumerable.Range(0, 4).OrderByDescending(i => prompt.Split("Answer " + (char)('A' + i))[1].Split("worth ")[1][0]).Select(i => (char)('A' + i))));
        ChatJudge judge = Cases.Judge(new("j", Form: JudgeForm.Ranking), chat);
        (IReadOnlyList<int>? ranks, JudgeCall call) = await judge.RankAsync(Prompt.FromInstruction("1", "Q"), [new("worth 3"), new("worth 9"), new("worth 1"), new("worth 5")], default);
        Assert.Equal([3, 1, 4, 2], ranks!);
        Assert.Equal(4, call.Shown.Split(',').Length);
    }

    [Fact]
    public async Task A_persona_is_told_to_the_judge()
    {
        FakeChat chat = new(_ => "A");
        await Cases.Judge(new("j", Persona: "You are Ada and like lists. {x}"), chat).JudgeAsync(Cases.Pair(1), default);
        Assert.StartsWith("You are Ada and like lists. {x}\n\nYou compare answers", chat.Prompts[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Juries_take_the_mean_the_majority_the_weights_or_one_member()
    {
        IJudge[] members = [Cases.Judge(new("a", Order: JudgeOrder.Given), new FakeChat(_ => "A")), Cases.Judge(new("b", Order: JudgeOrder.Given), new FakeChat(_ => "A")), Cases.Judge(new("c", Order: JudgeOrder.Given), new FakeChat(_ => "B"))];
        async Task<double> With(JuryRule rule, double[]? weights = null) => (await new Jury(new("jury", Rule: rule, Weights: weights), members, "j").JudgeAsync(Cases.Pair(1), default)).Preference!.Value;
        Assert.Equal(4.0 / 3, await With(JuryRule.Mean), 12);
        Assert.Equal(1, await With(JuryRule.Majority));
        Assert.Equal(1.75, await With(JuryRule.Weighted, [1, 0, 3]), 12);
        Jury pool = new(new("pool", Rule: JuryRule.Pool), members, "j");
        List<string> asked = [];
        for (int i = 0; i < 60; i++)
            asked.Add((await pool.JudgeAsync(Cases.Pair(i), default)).Calls.Single().Judge);
        Assert.Equal(["a", "b", "c"], asked.Distinct().Order());
    }

    [Fact]
    public async Task A_member_without_a_verdict_is_left_out_and_told()
    {
        IJudge[] members = [Cases.Judge(new("a", Order: JudgeOrder.Given), new FakeChat(_ => "A")), Cases.Judge(new("b"), new FakeChat(_ => "hm"))];
        JudgeVerdict verdict = await new Jury(new("jury"), members, "j").JudgeAsync(Cases.Pair(1), default);
        Assert.Equal((1, "1 of 2 members have a verdict"), ((int)verdict.Preference!, verdict.Reason));
    }

    [Fact]
    public void Whatever_could_change_a_verdict_changes_the_version()
    {
        JudgeSettings settings = new("j");
        string Version(JudgeSettings changed) => Cases.Judge(changed, Cases.Honest).Version;
        string[] versions = [Version(settings), Version(settings with { Seed = 1 }), Version(settings with { Prompt = [new("user", "{instruction} {output_1} {output_2}")] }), Version(settings with { Order = JudgeOrder.Both }),
            Version(settings with { Model = new("other") }), Version(settings with { Form = JudgeForm.Reasoned }), Version(settings with { Parser = new(ParserKind.Regex, "A", "B") })];
        Assert.Equal(versions.Length, versions.Distinct().Count());
        Assert.Equal(Version(settings), Version(settings with { Limits = new(InFlight: 3, Cap: 1) }));
    }

    [Theory]
    [InlineData("{instruction} {output_1}", "must show both answers")]
    [InlineData("{instruction} {output}", "belongs to form pointwise")]
    public void A_prompt_that_does_not_fit_its_form_is_an_error(string prompt, string message) =>
        Assert.Contains(message, Assert.Throws<BadInputException>(() => Cases.Judge(new("j", Prompt: [new("user", prompt)]), Cases.Honest)).Message, StringComparison.Ordinal);

    private static async Task<(double? Preference, VerdictState State, int Calls)> Short(ChatJudge judge, Comparison pair)
    {
        JudgeVerdict verdict = await judge.JudgeAsync(pair, default);
        return (verdict.Preference, verdict.State, verdict.Calls.Count);
    }
}
