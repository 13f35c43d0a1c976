using Paddock.Engine;
using static Paddock.Engine.Numerics.ScalarMath;

namespace Paddock.Methods.Formulas;

/// <summary>What a DPO-type loss sees of one preference: four sums and two lengths.</summary>
/// <param name="ChosenTokens">Response tokens of chosen, the end token included; at least one.</param>
/// <param name="Probability">That chosen is the better one; anything but 1 needs a loss that takes soft labels.</param>
public readonly record struct PairLogProbs(SumLogProb PolicyChosen, SumLogProb PolicyRejected, SumLogProb ReferenceChosen, SumLogProb ReferenceRejected,
    int ChosenTokens, int RejectedTokens, double Probability = 1)
{
    /// <summary>r_w = log pi(y_w) - log ref(y_w).</summary>
    public double RatioChosen => PolicyChosen.Value - ReferenceChosen.Value;

    /// <summary>r_l = log pi(y_l) - log ref(y_l).</summary>
    public double RatioRejected => PolicyRejected.Value - ReferenceRejected.Value;
}

public readonly record struct DpoLossResult(double Loss, PairMetrics Metrics);

/// <summary>
/// The offline DPO family: loss, gradient and metrics of one optimizer step. Gradients are with respect to the summed log-probs of
/// the policy, the batch mean's 1/B included, so they are the coefficient of every token of the response. The pairs must be those
/// of the whole step: aot sorts over them and sft divides by all their tokens. Formulas and sources: <see cref="DpoLossType"/>.
/// </summary>
public static class DpoLoss
{
    public static DpoLossResult Compute(DpoLossOptions options, ReadOnlySpan<PairLogProbs> pairs, Span<double> gradientChosen, Span<double> gradientRejected)
    {
        options.Validate();
        ArgumentOutOfRangeException.ThrowIfZero(pairs.Length);
        ArgumentOutOfRangeException.ThrowIfNotEqual(gradientChosen.Length, pairs.Length);
        ArgumentOutOfRangeException.ThrowIfNotEqual(gradientRejected.Length, pairs.Length);
        gradientChosen.Clear();
        gradientRejected.Clear();
        double loss = 0;
        foreach (DpoTerm term in options.Terms)
            loss += term.Weight * term.Type switch
            {
                DpoLossType.Sft => Sft(term.Weight, pairs, gradientChosen),
                DpoLossType.Aot or DpoLossType.AotUnpaired => Sorted(options, term, pairs, gradientChosen, gradientRejected),
                _ => Pairwise(options, term, pairs, gradientChosen, gradientRejected),
            };
        return new(loss, PairMetrics.Of(options.Beta, pairs));
    }

    private static double Pairwise(DpoLossOptions options, DpoTerm term, ReadOnlySpan<PairLogProbs> pairs, Span<double> gradientChosen, Span<double> gradientRejected)
    {
        bool soft = term.Type is DpoLossType.Sigmoid or DpoLossType.SigmoidNorm;
        double sum = 0;
        for (int i = 0; i < pairs.Length; i++)
        {
            PairLogProbs pair = pairs[i];
            if (!soft && pair.Probability != 1)
                throw SoftLabel(term.Type);
            (double loss, double chosen, double rejected) = OfPair(options, term.Type, pair);
            sum += loss;
            double share = term.Weight / pairs.Length;
            gradientChosen[i] += share * chosen;
            gradientRejected[i] += share * rejected;
        }
        return sum / pairs.Length;
    }

    // (loss, d loss / d r_w, d loss / d r_l) of one pair
    private static (double Loss, double Chosen, double Rejected) OfPair(DpoLossOptions options, DpoLossType type, in PairLogProbs pair)
    {
        double beta = options.Beta, epsilon = options.LabelSmoothing;
        (double w, double slopeW) = Divergence(options, pair.RatioChosen);
        (double l, double slopeL) = Divergence(options, pair.RatioRejected);
        double x = beta * (w - l), bw = beta * w, bl = beta * l;
        switch (type)
        {
            case DpoLossType.Sigmoid:
                return OnMargin(SmoothedLogistic(x, pair.Probability, epsilon), beta, beta);
            case DpoLossType.SigmoidNorm:
                double y = beta * (w / pair.ChosenTokens - l / pair.RejectedTokens);
                return OnMargin(SmoothedLogistic(y, pair.Probability, epsilon), beta / pair.ChosenTokens, beta / pair.RejectedTokens);
            case DpoLossType.Hinge:
                return OnMargin((Math.Max(0, 1 - x), x < 1 ? -1 : 0), beta, beta);
            case DpoLossType.Ipo:
                double e = w / pair.ChosenTokens - l / pair.RejectedTokens - 1 / (2 * beta);
                return OnMargin((e * e, 2 * e), 1.0 / pair.ChosenTokens, 1.0 / pair.RejectedTokens);
            case DpoLossType.ExoPair:
                double logKeep = Log1p(-epsilon), logFlip = Math.Log(epsilon);
                double exo = Sigmoid(x) * (LogSigmoid(x) - logKeep) + Sigmoid(-x) * (LogSigmoid(-x) - logFlip);
                return OnMargin((exo, SigmoidSlope(x) * (x - (logKeep - logFlip))), beta, beta);
            case DpoLossType.Robust:
                double robust = -(1 - epsilon) * LogSigmoid(x) + epsilon * LogSigmoid(-x), robustSlope = -(1 - epsilon) * Sigmoid(-x) - epsilon * Sigmoid(x);
                return OnMargin((robust / (1 - 2 * epsilon), robustSlope / (1 - 2 * epsilon)), beta, beta);
            case DpoLossType.DiscoPop:
                return OnMargin(DiscoPop(x, options.DiscoPopTemperature), beta, beta);
            // from here on u(r) = r: other divergences are refused
            case DpoLossType.NcaPair:
                return (-LogSigmoid(bw) - 0.5 * LogSigmoid(-bw) - 0.5 * LogSigmoid(-bl), beta * (0.5 * Sigmoid(bw) - Sigmoid(-bw)), 0.5 * beta * Sigmoid(bl));
            case DpoLossType.BcoPair:
                return (-LogSigmoid(bw) - LogSigmoid(-bl), -beta * Sigmoid(-bw), beta * Sigmoid(bl));
            case DpoLossType.SppoHard:
                double errorW = w - 1 / (2 * beta), errorL = l + 1 / (2 * beta);
                return (errorW * errorW + errorL * errorL, 2 * errorW, 2 * errorL);
            case DpoLossType.ApoZero:
                return (Sigmoid(-bw) + Sigmoid(bl), -beta * SigmoidSlope(bw), beta * SigmoidSlope(bl));
            case DpoLossType.ApoDown:
                double slope = beta * SigmoidSlope(x);
                return (Sigmoid(bw) + Sigmoid(-x), beta * SigmoidSlope(bw) - slope, slope);
            default:
                throw new ArgumentOutOfRangeException(nameof(type), type, "not a pairwise loss");
        }

        (double, double, double) OnMargin((double Loss, double Slope) f, double scaleW, double scaleL) =>
            (f.Loss, f.Slope * scaleW * slopeW, -f.Slope * scaleL * slopeL);
    }

    // cDPO: -[p log s(x) + (1 - p) log s(-x)], p the label's probability after smoothing; derivative s(x) - p
    private static (double Loss, double Slope) SmoothedLogistic(double x, double probability, double epsilon)
    {
        double p = probability * (1 - epsilon) + (1 - probability) * epsilon;
        return p == 1 ? (-LogSigmoid(x), -Sigmoid(-x)) : (-p * LogSigmoid(x) - (1 - p) * LogSigmoid(-x), Sigmoid(x) - p);
    }

    // (1 - m) (-log s(x)) + m e^-x with m = s(x / tau); m e^-x is taken as one exponential, as e^-x alone overflows where m vanishes
    private static (double Loss, double Slope) DiscoPop(double x, double tau)
    {
        double m = Sigmoid(x / tau), exponential = Math.Exp(LogSigmoid(x / tau) - x), logistic = -LogSigmoid(x);
        double loss = (1 - m) * logistic + exponential;
        double slope = -SigmoidSlope(x / tau) / tau * logistic - (1 - m) * Sigmoid(-x) + exponential * (Sigmoid(-x / tau) / tau - 1);
        return (loss, slope);
    }

    // u(r) and du/dr
    private static (double Value, double Slope) Divergence(DpoLossOptions options, double r)
    {
        const double MaxExponent = 80;
        double a = options.AlphaCoefficient - 1;
        switch (options.Divergence)
        {
            case FDivergence.ForwardKl:
                return (-Expm1(-r), Math.Exp(-r));
            case FDivergence.JensenShannon:
                return (Ln2 + LogSigmoid(r), Sigmoid(-r));
            case FDivergence.Alpha when Math.Abs(a) > 1e-6:
                double exponent = a * r;
                return exponent > MaxExponent ? (Expm1(MaxExponent) / a, 0) : (Expm1(exponent) / a, Math.Exp(exponent));
            default:
                return (r, 1);
        }
    }

    // -(1 - eps) log s(b d) - eps log s(-b d) on d = a sorted minus b sorted, gradients routed back through both sorts
    private static double Sorted(DpoLossOptions options, DpoTerm term, ReadOnlySpan<PairLogProbs> pairs, Span<double> gradientChosen, Span<double> gradientRejected)
    {
        int n = pairs.Length;
        bool paired = term.Type == DpoLossType.Aot;
        double[] upper = new double[n], lower = new double[n];
        int[] upperOrder = new int[n], lowerOrder = new int[n];
        for (int i = 0; i < n; i++)
        {
            PairLogProbs pair = pairs[i];
            if (pair.Probability != 1)
                throw SoftLabel(term.Type);
            upper[i] = paired ? pair.PolicyChosen.Value - pair.PolicyRejected.Value : pair.RatioChosen;
            lower[i] = paired ? pair.ReferenceChosen.Value - pair.ReferenceRejected.Value : pair.RatioRejected;
            upperOrder[i] = lowerOrder[i] = i;
        }
        Array.Sort(upper, upperOrder);
        Array.Sort(lower, lowerOrder);
        double sum = 0;
        for (int i = 0; i < n; i++)
        {
            (double loss, double slope) = SmoothedLogistic(options.Beta * (upper[i] - lower[i]), 1, options.LabelSmoothing);
            sum += loss;
            double gradient = term.Weight * options.Beta * slope / n;
            gradientChosen[upperOrder[i]] += gradient;
            gradientRejected[paired ? upperOrder[i] : lowerOrder[i]] -= gradient;
        }
        return sum / n;
    }

    private static double Sft(double weight, ReadOnlySpan<PairLogProbs> pairs, Span<double> gradientChosen)
    {
        double sum = 0;
        long tokens = 0;
        foreach (ref readonly PairLogProbs pair in pairs)
        {
            sum -= pair.PolicyChosen.Value;
            tokens += pair.ChosenTokens;
        }
        for (int i = 0; i < pairs.Length; i++)
            gradientChosen[i] -= weight / tokens;
        return sum / tokens;
    }

    private static BadInputException SoftLabel(DpoLossType type) =>
        new($"dpo: loss {type} takes hard labels only; harden the preferences, or use sigmoid or sigmoid_norm");
}
