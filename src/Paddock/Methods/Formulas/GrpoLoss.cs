using Paddock.Engine.Numerics;

namespace Paddock.Methods.Formulas;

/// <summary>One answer as a GRPO-type loss sees it; arrays have one entry per token.</summary>
/// <param name="Reference">Log-probs under the reference; null when the options have no KL term.</param>
/// <param name="Entropies">Entropy of the policy at each token; null when the options have no entropy bonus.</param>
/// <param name="Learns">Which tokens the policy term is taken of; null is all of them.</param>
internal readonly record struct GrpoAnswer(double[] LogProbs, double[] Old, double[]? Reference, double Advantage, double[]? Entropies = null, bool[]? Learns = null);

/// <summary>What a loss is divided by: counts of the whole optimizer step. Answers that are left out are in none of the tokens.</summary>
internal readonly record struct GrpoScale(int Answers, long Tokens, int MaxTokens);

/// <summary>Sums over tokens (over answers for losses on whole answers), divided once at the end.</summary>
internal sealed class GrpoSums
{
    public StepMean Kl, Low, High, Ratio;

    /// <summary>Largest ratio seen.</summary>
    public double MaxRatio { get; set; }
}

/// <summary>
/// The GRPO family: each answer adds its share of the step's loss and gets d loss / d log p of each of its tokens. Formulas and sources:
/// <see cref="GrpoLossType"/>. The ratio is held finite beyond a log-ratio of 50.
/// </summary>
internal static class GrpoLoss
{
    private const double MaxLogRatio = 50;

    /// <summary>Loss of one answer; <paramref name="gradient"/> receives d / d log p, <paramref name="entropyGradient"/> d / d entropy where there is a bonus.</summary>
    public static double Add(GrpoLossOptions options, in GrpoAnswer answer, in GrpoScale scale, Span<double> gradient, Span<double> entropyGradient, GrpoSums sums)
    {
        int n = answer.LogProbs.Length;
        double weight = Weight(options.Loss, n, scale), loss = 0;
        gradient.Clear();

        // log-ratios, and whether the answer takes part at all
        double[] logRatios = new double[n];
        double sum = 0;
        for (int t = 0; t < n; t++)
            sum += logRatios[t] = Math.Clamp(answer.LogProbs[t] - answer.Old[t], -MaxLogRatio, MaxLogRatio);
        double sequence = Math.Exp(Math.Clamp(sum / n, -MaxLogRatio, MaxLogRatio));
        bool isSequence = options.Loss is GrpoLossType.Gspo or GrpoLossType.Luspo;
        bool counts = !(options.OffPolicyKl is { } limit && answer.Advantage < 0 && -sum / n > limit);

        if (counts)
            loss += options.Loss switch
            {
                GrpoLossType.Gspo or GrpoLossType.Luspo => WholeAnswer(options, answer, sequence, weight, gradient),
                GrpoLossType.Vespo => Vespo(answer, logRatios, weight, gradient),
                GrpoLossType.Gmpo => Gmpo(options, answer, logRatios, weight, gradient),
                _ => Tokens(options, answer, logRatios, sequence, weight, gradient),
            };

        // the KL term, with the ratio's own gradient when it is multiplied by it
        if (options.Beta != 0)
        {
            double held = 0;
            for (int t = 0; t < n; t++)
            {
                double ratio = !options.UnbiasedKl ? 1 : isSequence ? sequence : Math.Exp(logRatios[t]), k3 = KlPenalty.K3(answer.LogProbs[t], answer.Reference![t]);
                double w = weight * options.Beta;
                loss += w * ratio * k3;
                gradient[t] += w * ratio * KlPenalty.K3Slope(answer.LogProbs[t], answer.Reference[t]);
                if (options.UnbiasedKl && !isSequence)
                    gradient[t] += w * ratio * k3;
                held += w * ratio * k3;
                sums.Kl.Add(k3);
            }
            if (options.UnbiasedKl && isSequence)
                for (int t = 0; t < n; t++)
                    gradient[t] += held / n;
        }

        if (options.Entropy != 0)
            for (int t = 0; t < n; t++)
            {
                loss -= options.Entropy * answer.Entropies![t] / scale.Tokens;
                entropyGradient[t] = -options.Entropy / scale.Tokens;
            }

        Count(options, answer.Advantage, isSequence ? [Math.Log(sequence)] : logRatios, sums);
        return loss;
    }

    // of each token of an answer
    private static double Weight(GrpoLossType type, int n, in GrpoScale scale) => type switch
    {
        GrpoLossType.Grpo or GrpoLossType.Gspo or GrpoLossType.GspoToken or GrpoLossType.Sapo or GrpoLossType.Gmpo => 1.0 / ((double)scale.Answers * n),
        GrpoLossType.DrGrpo => 1.0 / ((double)scale.Answers * scale.MaxTokens),
        GrpoLossType.Luspo => 1.0 / scale.Answers,
        _ => 1.0 / scale.Tokens,
    };

    // losses that are a sum over tokens, each with a ratio of its own
    private static double Tokens(GrpoLossOptions options, in GrpoAnswer answer, double[] logRatios, double sequence, double weight, Span<double> gradient)
    {
        double loss = 0, a = answer.Advantage;
        for (int t = 0; t < logRatios.Length; t++)
        {
            if (answer.Learns is { } learns && !learns[t])
                continue;
            double ratio = Math.Exp(logRatios[t]);
            (double value, double slope) = options.Loss switch
            {
                GrpoLossType.Cispo => (-Math.Min(ratio, options.High) * a * answer.LogProbs[t], -Math.Min(ratio, options.High) * a),
                GrpoLossType.Sapo => Soft(ratio, a, a > 0 ? 1 : 1.05),
                GrpoLossType.GspoToken => Clipped(options, sequence, a),
                _ => Clipped(options, ratio, a),
            };
            loss += weight * value;
            gradient[t] += weight * slope;
        }
        return loss;
    }

    // -min(r A, clip(r) A) and its derivative with respect to log r; delta bounds the unclipped r
    private static (double Value, double Slope) Clipped(GrpoLossOptions options, double ratio, double a)
    {
        double bounded = options.Delta is { } delta ? Math.Min(ratio, delta) : ratio;
        double plain = -bounded * a, clipped = -Math.Clamp(ratio, 1 - options.Low, 1 + options.High) * a;
        bool inside = ratio >= 1 - options.Low && ratio <= 1 + options.High;
        // where both are the same number, either branch has the slope of one that still moves
        return plain > clipped || (plain == clipped && inside) ? (plain, bounded == ratio ? plain : 0) : (clipped, inside ? clipped : 0);
    }

    private static (double Value, double Slope) Soft(double ratio, double a, double temperature)
    {
        double x = temperature * (ratio - 1);
        return (-4 / temperature * ScalarMath.Sigmoid(x) * a, -4 * ScalarMath.SigmoidSlope(x) * ratio * a);
    }

    // one ratio for the answer; its loss stands at every token
    private static double WholeAnswer(GrpoLossOptions options, in GrpoAnswer answer, double ratio, double weight, Span<double> gradient)
    {
        (double value, double slope) = Clipped(options, ratio, answer.Advantage);
        int learning = answer.Learns?.Count(l => l) ?? answer.LogProbs.Length;
        for (int t = 0; t < gradient.Length; t++)
            gradient[t] += weight * learning * slope / gradient.Length;
        return weight * learning * value;
    }

    private static double Gmpo(GrpoLossOptions options, in GrpoAnswer answer, double[] logRatios, double weight, Span<double> gradient)
    {
        double sum = 0, a = answer.Advantage;
        int n = logRatios.Length;
        foreach (double l in logRatios)
            sum += a >= 0 ? Math.Min(l, options.High) : Math.Max(l, -options.Low);
        double value = -Math.Exp(sum / n) * a;
        for (int t = 0; t < n; t++)
            if (a >= 0 ? logRatios[t] <= options.High : logRatios[t] >= -options.Low)
                gradient[t] += weight * value;
        return weight * n * value;
    }

    private static double Vespo(in GrpoAnswer answer, double[] logRatios, double weight, Span<double> gradient)
    {
        double sum = 0, a = answer.Advantage, loss = 0;
        foreach (double l in logRatios)
            sum += Math.Clamp(l, -20, 20);
        double w = Math.Clamp(sum, Math.Log(1e-8), 20);
        (double k, double lambda) = a >= 0 ? (2.0, 3.0) : (3.0, 2.0);
        double phi = Math.Exp(lambda + k * w - lambda * Math.Exp(w));
        for (int t = 0; t < logRatios.Length; t++)
            if (answer.Learns is not { } learns || learns[t])
            {
                loss -= weight * phi * a * answer.LogProbs[t];
                gradient[t] -= weight * phi * a;
            }
        return loss;
    }

    private static void Count(GrpoLossOptions options, double advantage, ReadOnlySpan<double> logRatios, GrpoSums sums)
    {
        foreach (double logRatio in logRatios)
        {
            double ratio = Math.Exp(logRatio);
            sums.Ratio.Add(ratio);
            sums.MaxRatio = Math.Max(sums.MaxRatio, ratio);
            sums.Low.Add(ratio < 1 - options.Low && advantage < 0 ? 1 : 0);
            sums.High.Add((options.Loss == GrpoLossType.Cispo ? ratio > options.High : ratio > 1 + options.High) && advantage > 0 ? 1 : 0);
        }
    }

    /// <summary>Names as TRL has them.</summary>
    public static void AddTo(GrpoSums sums, IDictionary<string, double> metrics)
    {
        metrics["clip_ratio/low_mean"] = sums.Low.Value;
        metrics["clip_ratio/high_mean"] = sums.High.Value;
        metrics["clip_ratio/region_mean"] = sums.Low.Value + sums.High.Value;
        metrics["ratio/mean"] = sums.Ratio.Value;
        metrics["ratio/max"] = sums.MaxRatio;
    }
}
