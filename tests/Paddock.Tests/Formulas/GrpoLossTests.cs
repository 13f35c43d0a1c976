using System.Text.Json;
using Paddock.Engine;
using Paddock.Methods.Formulas;

namespace Paddock.Tests.Formulas;

public class GrpoLossTests
{
    private static readonly JsonElement Inputs = OnlineGolden.Root.GetProperty("grpo_inputs");

    private static readonly double[][] New = Masked("new"), Old = Masked("old"), Reference = Masked("ref"), Entropies = Masked("entropy");

    private static readonly double[] Advantages = TrlGolden.Doubles(Inputs.GetProperty("advantages"));

    // accumulation of 2: the token denominator is the step's, the others are halved
    private const double Accumulation = 2;

    private const int MaxTokens = 8;

    public static TheoryData<GrpoLossType> AllTypes => [.. Enum.GetValues<GrpoLossType>()];

    private static double[][] Masked(string field) => OnlineGolden.Masked(Inputs.GetProperty(field), Inputs.GetProperty("mask"));

    private static (double Loss, double[][] Gradient, double[][] EntropyGradient, GrpoSums Sums) Compute(GrpoLossOptions options, double[][]? at = null, double[][]? entropies = null, bool[][]? learns = null)
    {
        at ??= New;
        GrpoScale scale = new(at.Length, at.Sum(row => (long)row.Length), MaxTokens);
        GrpoSums sums = new();
        double loss = 0;
        double[][] gradients = [.. at.Select(row => new double[row.Length])], entropyGradients = [.. at.Select(row => new double[row.Length])];
        for (int i = 0; i < at.Length; i++)
            loss += GrpoLoss.Add(options, new GrpoAnswer(at[i], Old[i], Reference[i], Advantages[i], (entropies ?? Entropies)[i], learns?[i]), scale, gradients[i], entropyGradients[i], sums);
        return (loss, gradients, entropyGradients, sums);
    }

    [Theory]
    [InlineData("grpo", GrpoLossType.Grpo, 0.2, 0.2)]
    [InlineData("bnpo", GrpoLossType.Bnpo, 0.2, 0.2)]
    [InlineData("dr_grpo", GrpoLossType.DrGrpo, 0.2, 0.2)]
    [InlineData("dapo", GrpoLossType.Dapo, 0.2, 0.2)]
    [InlineData("sapo", GrpoLossType.Sapo, 0.2, 0.2)]
    [InlineData("cispo eps_high=5", GrpoLossType.Cispo, 0.2, 5)]
    [InlineData("vespo", GrpoLossType.Vespo, 0.2, 0.2)]
    [InlineData("luspo sequence", GrpoLossType.Luspo, 0.2, 0.2)]
    [InlineData("gspo (grpo, sequence, eps 3e-4/4e-4)", GrpoLossType.Gspo, 3e-4, 4e-4)]
    [InlineData("gmpo eps 0.4", GrpoLossType.Gmpo, 0.4, 0.4)]
    [InlineData("dapo clip-higher 0.28", GrpoLossType.Dapo, 0.2, 0.28)]
    public void The_losses_equal_the_reference(string name, GrpoLossType type, double low, double high)
    {
        double expected = OnlineGolden.Loss(OnlineGolden.Root.GetProperty("grpo").GetProperty(name));
        Assert.Equal(expected, Compute(new GrpoLossOptions(type, low, high)).Loss / Accumulation, 1e-9);
    }

    [Fact]
    public void Its_extras_equal_the_reference()
    {
        JsonElement golden = OnlineGolden.Root.GetProperty("grpo");
        Check("dapo two-sided delta=1.5", new(GrpoLossType.Dapo, 0.2, 0.2, Delta: 1.5));
        Check("dapo opsm 0.05", new(GrpoLossType.Dapo, 0.2, 0.2, OffPolicyKl: 0.05));
        Check("grpo beta=0.04", new(GrpoLossType.Grpo, 0.2, 0.2, Beta: 0.04, UnbiasedKl: false));
        Check("grpo beta 0.04 bias-corrected kl", new(GrpoLossType.Grpo, 0.2, 0.2, Beta: 0.04));
        double threshold = Quantiles.Linear([.. Entropies.SelectMany(e => e)], 0.8);
        Check("dapo top_entropy 0.2", new(GrpoLossType.Dapo, 0.2, 0.2), [.. Entropies.Select(row => row.Select(e => e >= threshold).ToArray())]);

        void Check(string name, GrpoLossOptions options, bool[][]? learns = null) =>
            Assert.Equal(OnlineGolden.Loss(golden.GetProperty(name)), Compute(options, learns: learns).Loss / Accumulation, 1e-9);
    }

    [Theory]
    [InlineData("grpo beta=0.04", GrpoLossType.Grpo, 0.2)]
    [InlineData("dapo beta=0.04", GrpoLossType.Dapo, 0.2)]
    [InlineData("cispo beta=0.04", GrpoLossType.Cispo, 5)]
    [InlineData("sapo beta=0.04", GrpoLossType.Sapo, 0.2)]
    public void Gradients_equal_the_reference(string name, GrpoLossType type, double high)
    {
        JsonElement golden = OnlineGolden.Root.GetProperty("grpo_grad").GetProperty(name);
        (double loss, double[][] gradient, _, _) = Compute(new GrpoLossOptions(type, 0.2, high, Beta: 0.04, UnbiasedKl: false));
        Assert.Equal(golden.GetProperty("loss").GetDouble(), loss / Accumulation, 1e-9);
        Compare(golden.GetProperty("grad"), gradient);
    }

    [Fact]
    public void Gspo_on_tokens_equals_the_reference()
    {
        JsonElement golden = OnlineGolden.Root.GetProperty("gspo_token");
        (double loss, double[][] gradient, _, _) = Compute(new GrpoLossOptions(GrpoLossType.GspoToken, 0.2, 0.2));
        Assert.Equal(golden.GetProperty("loss").GetDouble(), loss / Accumulation, 1e-9);
        Compare(golden.GetProperty("grad"), gradient);
    }

    [Fact]
    public void Clip_ratios_and_kl_equal_the_reference()
    {
        JsonElement golden = OnlineGolden.Root.GetProperty("grpo").GetProperty("grpo beta=0.04")[1];
        GrpoSums sums = Compute(new GrpoLossOptions(GrpoLossType.Grpo, 0.2, 0.2, Beta: 0.04)).Sums;
        Assert.Equal(golden.GetProperty("kl").GetDouble(), sums.Kl.Value, 1e-6);
        Assert.Equal(golden.GetProperty("clip_ratio/low_mean").GetDouble(), sums.Low.Value, 1e-6);
        Assert.Equal(golden.GetProperty("clip_ratio/high_mean").GetDouble(), sums.High.Value, 1e-6);
        GrpoSums whole = Compute(new GrpoLossOptions(GrpoLossType.Gspo)).Sums;
        Assert.Equal((0.5, 0.25), (whole.Low.Value, whole.High.Value));
    }

    // cispo, vespo and gspo-token hold a factor fixed, so their gradients are not those of their values: the value is taken with the factor as it was
    [Theory]
    [MemberData(nameof(AllTypes))]
    public void Gradients_are_those_of_the_loss(GrpoLossType type)
    {
        foreach (GrpoLossOptions options in (GrpoLossOptions[])[new(type), new(type, Beta: 0.1), new(type, Beta: 0.1, UnbiasedKl: false), new(type, Entropy: 0.3)])
        {
            (_, double[][] gradient, double[][] entropyGradient, _) = Compute(options);
            for (int i = 0; i < New.Length; i++)
                for (int t = 0; t < New[i].Length; t++)
                {
                    double expected = type switch
                    {
                        GrpoLossType.Cispo or GrpoLossType.Vespo or GrpoLossType.GspoToken => Held(options, i, t),
                        _ => FiniteDifference.Of(New[i], t, row => Compute(options, [.. New.Select((r, k) => k == i ? row : r)]).Loss),
                    };
                    Assert.Equal(expected, gradient[i][t], 1e-7);
                    if (options.Entropy != 0)
                        Assert.Equal(FiniteDifference.Of(Entropies[i], t, row => Compute(options, entropies: [.. Entropies.Select((r, k) => k == i ? row : r)]).Loss), entropyGradient[i][t], 1e-7);
                }
        }
    }

    // what the policy term adds is known by hand; the rest is a loss with no advantage, and that has a gradient like any other
    private static double Held(GrpoLossOptions options, int i, int t)
    {
        double[] logRatios = [.. New[i].Zip(Old[i], (n, o) => n - o)];
        double a = Advantages[i], mean = Math.Exp(logRatios.Average()), tokens = New.Sum(r => r.Length), w = logRatios.Sum();
        (double k, double lambda) = a >= 0 ? (2.0, 3.0) : (3.0, 2.0);
        double policy = options.Loss switch
        {
            GrpoLossType.Cispo => -Math.Min(Math.Exp(logRatios[t]), options.High) * a / tokens,
            GrpoLossType.Vespo => -Math.Exp(lambda + k * w - lambda * Math.Exp(w)) * a / tokens,
            _ => (a > 0 ? mean <= 1 + options.High : mean >= 1 - options.Low) ? -mean * a / (New.Length * New[i].Length) : 0,
        };
        return policy + FiniteDifference.Of(New[i], t, row => Rest(row));

        double Rest(double[] row) => GrpoLoss.Add(options, new GrpoAnswer(row, Old[i], Reference[i], 0, Entropies[i]), new GrpoScale(New.Length, New.Sum(r => (long)r.Length), MaxTokens),
            new double[row.Length], new double[row.Length], new GrpoSums());
    }

    [Theory]
    [MemberData(nameof(AllTypes))]
    public void A_policy_that_has_not_moved_follows_the_advantage(GrpoLossType type)
    {
        double[] old = [-1.0, -2.0];
        double[] gradient = new double[2];
        GrpoLoss.Add(new GrpoLossOptions(type), new GrpoAnswer(old, old, null, 0.5), new GrpoScale(1, 2, 2), gradient, new double[2], new GrpoSums());
        // luspo is not divided by the length; vespo's weight at W = 0 is e^0
        double expected = type == GrpoLossType.Luspo ? -0.5 : -0.25;
        Assert.All(gradient, g => Assert.Equal(expected, g, 1e-12));
    }

    [Theory]
    [MemberData(nameof(AllTypes))]
    public void Ratios_beyond_reason_stay_finite(GrpoLossType type)
    {
        foreach (double far in (double[])[-1e4, 1e4])
            foreach (double advantage in (double[])[-1, 0, 1])
            {
                double[] gradient = new double[2];
                double loss = GrpoLoss.Add(new GrpoLossOptions(type, Beta: 0.1), new GrpoAnswer([far, 0], [0, 0], [0, far], advantage), new GrpoScale(1, 2, 2), gradient, new double[2], new GrpoSums());
                Assert.True(double.IsFinite(loss), $"{loss}");
                Assert.All(gradient, g => Assert.True(double.IsFinite(g)));
            }
    }

    [Fact]
    public void A_delta_without_a_clipped_ratio_is_refused() =>
        Assert.Contains("Cispo has no clipped ratio", Assert.Throws<BadInputException>(() => new GrpoLossOptions(GrpoLossType.Cispo, Delta: 2).Validate()).Message);

    private static void Compare(JsonElement golden, double[][] gradient)
    {
        double[][] expected = OnlineGolden.Masked(golden, Inputs.GetProperty("mask"));
        for (int i = 0; i < expected.Length; i++)
            for (int t = 0; t < expected[i].Length; t++)
                Assert.Equal(expected[i][t], gradient[i][t] / Accumulation, 1e-9);
    }
}
