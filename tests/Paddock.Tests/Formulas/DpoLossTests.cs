using Paddock.Engine.Numerics;
using System.Text.Json;
using Paddock.Engine;
using Paddock.Methods.Formulas;
using Paddock.Tests.Shared;

namespace Paddock.Tests.Formulas;

public class DpoLossTests
{
    private static readonly Dictionary<string, DpoLossType> Names = new()
    {
        ["sigmoid"] = DpoLossType.Sigmoid,
        ["hinge"] = DpoLossType.Hinge,
        ["ipo"] = DpoLossType.Ipo,
        ["exo_pair"] = DpoLossType.ExoPair,
        ["nca_pair"] = DpoLossType.NcaPair,
        ["robust"] = DpoLossType.Robust,
        ["bco_pair"] = DpoLossType.BcoPair,
        ["sppo_hard"] = DpoLossType.SppoHard,
        ["aot"] = DpoLossType.Aot,
        ["aot_unpaired"] = DpoLossType.AotUnpaired,
        ["apo_zero"] = DpoLossType.ApoZero,
        ["apo_down"] = DpoLossType.ApoDown,
        ["discopop"] = DpoLossType.DiscoPop,
        ["sft"] = DpoLossType.Sft,
        ["sigmoid_norm"] = DpoLossType.SigmoidNorm,
    };

    public static TheoryData<DpoLossType> AllTypes => [.. Enum.GetValues<DpoLossType>()];

    private static FDivergence[] Divergences(DpoLossType type) => type is DpoLossType.NcaPair or DpoLossType.BcoPair or DpoLossType.SppoHard or DpoLossType.Aot
        or DpoLossType.AotUnpaired or DpoLossType.ApoZero or DpoLossType.ApoDown ? [FDivergence.ReverseKl] : Enum.GetValues<FDivergence>();

    private static (double Loss, double[] Chosen, double[] Rejected) Compute(DpoLossOptions options, params PairLogProbs[] pairs)
    {
        double[] chosen = new double[pairs.Length], rejected = new double[pairs.Length];
        return (DpoLoss.Compute(options, pairs, chosen, rejected).Loss, chosen, rejected);
    }

    private static PairLogProbs Pair(double ratioChosen, double ratioRejected, int chosenTokens = 3, int rejectedTokens = 5) =>
        new(new(ratioChosen - 10), new(ratioRejected - 12), new(-10), new(-12), chosenTokens, rejectedTokens);

    private static DpoLossOptions WithSmoothing(DpoLossType type) =>
        DpoLossOptions.Of(type, type == DpoLossType.SigmoidNorm ? 2 : 0.1, type is DpoLossType.Robust or DpoLossType.Aot or DpoLossType.AotUnpaired ? 0.1 : null);

    [Fact]
    public void All_fifteen_losses_equal_the_reference()
    {
        JsonElement losses = TrlGolden.Root.GetProperty("dpo_losses");
        foreach ((string name, DpoLossType type) in Names)
        {
            JsonElement golden = losses.GetProperty(name), args = golden.GetProperty("args");
            double? smoothing = args.TryGetProperty("label_smoothing", out JsonElement given) ? given.GetDouble() : null;
            Assert.Equal(golden.GetProperty("loss").GetDouble(), Compute(DpoLossOptions.Of(type, args.GetProperty("beta").GetDouble(), smoothing), TrlGolden.Pairs()).Loss, 1e-9);
        }
        Assert.Equal(15, Names.Count);
    }

    [Fact]
    public void Modifiers_and_mixtures_equal_the_reference()
    {
        JsonElement losses = TrlGolden.Root.GetProperty("dpo_losses");
        DpoLossOptions sigmoid = DpoLossOptions.Of(DpoLossType.Sigmoid);
        Check("mpo 0.8 sigmoid+0.2 bco_pair+1.0 sft", new([new(DpoLossType.Sigmoid, 0.8), new(DpoLossType.BcoPair, 0.2), new(DpoLossType.Sft)]), 1e-9);
        Check("sigmoid f=forward_kl", sigmoid with { Divergence = FDivergence.ForwardKl }, 1e-9);
        Check("sigmoid f=js_divergence", sigmoid with { Divergence = FDivergence.JensenShannon }, 1e-9);
        Check("sigmoid f=alpha_divergence (float32)", sigmoid with { Divergence = FDivergence.Alpha, AlphaCoefficient = 0.5 }, 2e-7);
        Check("sigmoid ld_alpha=0.5", sigmoid, 1e-9, ldAlpha: 0.5); // recorded with the reference's full sums

        void Check(string name, DpoLossOptions options, double tolerance, double? ldAlpha = null) =>
            Assert.Equal(losses.GetProperty(name).GetDouble(), Compute(options, TrlGolden.Pairs(ldAlpha)).Loss, tolerance);
    }

    [Fact]
    public void Gradients_equal_the_reference_on_every_token()
    {
        int tokens = 0;
        foreach (JsonProperty golden in TrlGolden.Root.GetProperty("dpo_grad_wrt_per_token_logps").EnumerateObject())
        {
            (_, double[] chosen, double[] rejected) = Compute(WithSmoothing(Names[golden.Name]), TrlGolden.Pairs());
            for (int row = 0; row < 8; row++)
            {
                double[] expected = TrlGolden.Doubles(golden.Value[row]);
                for (int t = 0; t < expected.Length; t++, tokens++)
                    Assert.Equal(expected[t], TrlGolden.Masks[row][t] == 0 ? 0 : row < 4 ? chosen[row] : rejected[row - 4], 1e-9);
            }
        }
        Assert.Equal(7 * 8 * 6, tokens);
    }

    [Fact]
    public void Metrics_equal_the_reference()
    {
        JsonElement golden = TrlGolden.Root.GetProperty("dpo_metrics");
        Dictionary<string, double> metrics = [];
        DpoLoss.Compute(DpoLossOptions.Of(DpoLossType.Sigmoid), TrlGolden.Pairs(), new double[4], new double[4]).Metrics.AddTo(metrics);
        Assert.Equal(["logps/chosen", "logps/rejected", "rewards/accuracies", "rewards/chosen", "rewards/margins", "rewards/rejected"], metrics.Keys.Order(StringComparer.Ordinal));
        foreach ((string name, double value) in metrics)
            Assert.Equal(golden.GetProperty(name).GetDouble(), value, 1e-12);
    }

    [Theory]
    [MemberData(nameof(AllTypes))]
    public void Gradients_are_finite_differences(DpoLossType type)
    {
        foreach (FDivergence divergence in Divergences(type))
        {
            DpoLossOptions options = WithSmoothing(type) with { Divergence = divergence };
            PairLogProbs[] pairs = TrlGolden.Pairs();
            double[] sums = [.. pairs.Select(pair => pair.PolicyChosen.Value), .. pairs.Select(pair => pair.PolicyRejected.Value)];
            (_, double[] chosen, double[] rejected) = Compute(options, pairs);
            for (int i = 0; i < 8; i++)
            {
                double expected = FiniteDifference.Of(sums, i, x => Compute(options, At(x)).Loss);
                Assert.Equal(expected, i < 4 ? chosen[i] : rejected[i - 4], 2e-7 * Math.Max(1, Math.Abs(expected)));
            }

            PairLogProbs[] At(double[] x) => [.. pairs.Select((pair, k) => pair with { PolicyChosen = new(x[k]), PolicyRejected = new(x[k + 4]) })];
        }
    }

    [Theory]
    [MemberData(nameof(AllTypes))]
    public void Log_ratios_of_fifty_and_far_beyond_stay_finite(DpoLossType type)
    {
        foreach (double w in new[] { -1e4, -50, 0, 50, 1e4 })
            foreach (double l in new[] { -1e4, -50, 0, 50, 1e4 })
            {
                (double loss, double[] chosen, double[] rejected) = Compute(WithSmoothing(type), Pair(w, l));
                Assert.True(double.IsFinite(loss) && double.IsFinite(chosen[0]) && double.IsFinite(rejected[0]), $"{w} {l}");
            }
        foreach (FDivergence divergence in Divergences(type))
            Assert.True(double.IsFinite(Compute(WithSmoothing(type) with { Divergence = divergence }, Pair(-50, 50)).Loss));
    }

    [Fact]
    public void Equal_policy_and_reference_cost_log_two_with_no_reward_and_no_accuracy()
    {
        PairLogProbs[] pairs = [Pair(0, 0), Pair(0, 0, 1, 1)];
        foreach (DpoLossType type in new[] { DpoLossType.Sigmoid, DpoLossType.SigmoidNorm, DpoLossType.Aot, DpoLossType.AotUnpaired })
        {
            DpoLossResult result = DpoLoss.Compute(DpoLossOptions.Of(type), pairs, new double[2], new double[2]);
            Assert.Equal(ScalarMath.Ln2, result.Loss, 1e-15);
            Assert.Equal((0, 0, 0, 0), (result.Metrics.RewardsChosen, result.Metrics.RewardsRejected, result.Metrics.RewardsMargins, result.Metrics.RewardsAccuracies));
        }
    }

    [Fact]
    public void The_worked_example_of_the_paper_s_form() =>
        Assert.Equal(0.5130152523999526, Compute(DpoLossOptions.Of(DpoLossType.Sigmoid), new PairLogProbs(new(-20), new(-30), new(-22), new(-28), 4, 4)).Loss, 1e-15);

    [Fact]
    public void A_soft_label_is_the_mean_of_both_hard_ones()
    {
        PairLogProbs pair = Pair(1.5, -2), swapped = Pair(-2, 1.5);
        DpoLossOptions sigmoid = DpoLossOptions.Of(DpoLossType.Sigmoid);
        double expected = 0.7 * Compute(sigmoid, pair).Loss + 0.3 * Compute(sigmoid, swapped).Loss;
        (double loss, double[] chosen, double[] rejected) = Compute(sigmoid, pair with { Probability = 0.7 });
        Assert.Equal(expected, loss, 1e-15);
        Assert.Equal(0.1 * (ScalarMath.Sigmoid(0.35) - 0.7), chosen[0], 1e-15);
        Assert.Equal(-chosen[0], rejected[0]);
        Assert.Equal(loss, Compute(sigmoid with { LabelSmoothing = 0.3 }, pair).Loss, 1e-15); // cDPO: p = 1 - epsilon
    }

    [Fact]
    public void The_order_of_pairs_changes_no_sorted_loss_and_moves_its_gradients_along()
    {
        PairLogProbs[] pairs = TrlGolden.Pairs(), reversed = [.. pairs.Reverse()];
        foreach (DpoLossType type in new[] { DpoLossType.Aot, DpoLossType.AotUnpaired })
        {
            (double loss, double[] chosen, _) = Compute(WithSmoothing(type), pairs);
            (double other, double[] back, _) = Compute(WithSmoothing(type), reversed);
            Assert.Equal(loss, other, 1e-15);
            Assert.Equal(chosen, back.Reverse());
        }
    }

    [Fact]
    public void What_no_loss_is_defined_for_is_refused()
    {
        Assert.Contains("exo_pair", Refused(DpoLossOptions.Of(DpoLossType.ExoPair, labelSmoothing: 0)));
        Assert.Contains("beta", Refused(DpoLossOptions.Of(DpoLossType.Sigmoid, beta: 0)));
        Assert.Contains("beta", Refused(DpoLossOptions.Of(DpoLossType.Sigmoid, beta: double.NaN)));
        Assert.Contains("reverse KL", Refused(DpoLossOptions.Of(DpoLossType.ApoZero) with { Divergence = FDivergence.ForwardKl }));
        Assert.Contains("smoothing", Refused(DpoLossOptions.Of(DpoLossType.Robust, labelSmoothing: 0.5)));
        Assert.Contains("hard labels", Refused(DpoLossOptions.Of(DpoLossType.Ipo), Pair(0, 0) with { Probability = 0.5 }));
        Assert.Contains("hard labels", Refused(DpoLossOptions.Of(DpoLossType.Aot), Pair(0, 0) with { Probability = 0.5 }));

        static string Refused(DpoLossOptions options, PairLogProbs? pair = null) =>
            Assert.Throws<BadInputException>(() => Compute(options, pair ?? Pair(0, 0))).Message;
    }

    [SharedTheory]
    [InlineData("dpo_sigmoid")]
    [InlineData("dpo_hinge")]
    [InlineData("dpo_ipo")]
    [InlineData("dpo_exo_pair")]
    [InlineData("dpo_nca_pair")]
    [InlineData("dpo_robust_ls")]
    [InlineData("dpo_bco_pair")]
    [InlineData("dpo_sppo_hard")]
    [InlineData("dpo_aot")]
    [InlineData("dpo_aot_ls")]
    [InlineData("dpo_aot_unpaired")]
    [InlineData("dpo_apo_zero")]
    [InlineData("dpo_apo_down")]
    [InlineData("dpo_discopop")]
    [InlineData("dpo_sft")]
    [InlineData("dpo_sigmoid_norm")]
    [InlineData("dpo_f_alpha")]
    [InlineData("dpo_f_forward_kl")]
    [InlineData("dpo_f_js")]
    [InlineData("dpo_f_js_ipo")]
    [InlineData("dpo_mix_mpo")]
    [InlineData("dpo_mix_rpo")]
    public void Every_step_of_a_recorded_run_has_its_loss_and_metrics(string run)
    {
        JsonElement root = TrlRun.Load(run), options = root.GetProperty("resolved_trainer_fields");
        string[] types = [.. options.GetProperty("loss_type").EnumerateArray().Select(item => item.GetString()!)];
        double[] weights = options.GetProperty("loss_weights") is { ValueKind: JsonValueKind.Array } given ? TrlGolden.Doubles(given) : [.. types.Select(_ => 1.0)];
        DpoLossOptions ours = new([.. types.Zip(weights, (type, weight) => new DpoTerm(Names[type], weight))], options.GetProperty("beta").GetDouble(),
            options.GetProperty("label_smoothing").GetDouble(), options.GetProperty("f_divergence_type").GetString() switch
            {
                "reverse_kl" => FDivergence.ReverseKl,
                "forward_kl" => FDivergence.ForwardKl,
                "js_divergence" => FDivergence.JensenShannon,
                _ => FDivergence.Alpha,
            }, options.GetProperty("f_alpha_divergence_coef").GetDouble(), options.GetProperty("discopop_tau").GetDouble());
        int steps = 0;
        foreach (JsonElement step in root.GetProperty("steps").EnumerateArray())
        {
            JsonElement micro = Assert.Single(step.GetProperty("micro").EnumerateArray()), rows = micro.GetProperty("rows");
            double[] policy = TrlGolden.Doubles(rows.GetProperty("policy_logps")), reference = TrlGolden.Doubles(rows.GetProperty("ref_logps"));
            double[] tokens = TrlGolden.Doubles(rows.GetProperty("scored_tokens"));
            int n = policy.Length / 2;
            PairLogProbs[] pairs = [.. Enumerable.Range(0, n).Select(i => new PairLogProbs(new(policy[i]), new(policy[i + n]), new(reference[i]), new(reference[i + n]),
                (int)tokens[i], (int)tokens[i + n]))];
            DpoLossResult result = DpoLoss.Compute(ours, pairs, new double[n], new double[n]);
            double expected = micro.GetProperty("loss").GetDouble();
            Assert.Equal(expected, result.Loss, 1e-4 * Math.Max(1, Math.Abs(expected)));
            Dictionary<string, double> metrics = [];
            result.Metrics.AddTo(metrics);
            foreach ((string name, double value) in metrics)
                Assert.Equal(step.GetProperty("metrics").GetProperty(name).GetDouble(), value, 1e-5 * Math.Max(1, Math.Abs(value)));
            steps++;
        }
        Assert.True(steps >= 6);
    }
}
