using Paddock.Engine;
using static Paddock.Engine.Numerics.ScalarMath;

namespace Paddock.Methods.Formulas;

/// <summary>Losses on preferences without a reference. L = summed log-prob, a = L / tokens, s = sigmoid, e = label smoothing.</summary>
public enum CpoLossType
{
    /// <summary>-(1 - e) log s(x) - e log s(-x), x = beta (L_w - L_l): CPO (Xu et al. 2024, arXiv 2401.08417).</summary>
    Sigmoid,

    /// <summary>max(0, 1 - beta (L_w - L_l)): SLiC (arXiv 2305.10425).</summary>
    Hinge,

    /// <summary>(a_w - a_l - 1/(2 beta))^2: IPO without its reference.</summary>
    Ipo,

    /// <summary>-(1 - e) log s(x - gamma) - e log s(gamma - x), x = beta (a_w - a_l): SimPO (Meng et al. 2024, arXiv 2405.14734).</summary>
    Simpo,
}

/// <param name="LabelSmoothing">e: share of labels taken to be wrong; sigmoid and simpo only.</param>
/// <param name="Gamma">Margin of SimPO, not multiplied by beta.</param>
/// <param name="Shape">alpha of AlphaPO (Gupta et al. 2025, arXiv 2501.03884): a becomes (1 - e^(-alpha a)) / alpha; 0 is off. SimPO only.</param>
/// <param name="Likelihood">Weight of chosen's negative log-likelihood, a token mean over the step: CPO's behaviour-cloning term.</param>
public sealed record CpoLossOptions(CpoLossType Type = CpoLossType.Sigmoid, double Beta = 0.1, double LabelSmoothing = 0, double Gamma = 0.5, double Shape = 0, double Likelihood = 1)
{
    /// <summary>What no loss is defined for, in words; null when all is well.</summary>
    public string? Problem() =>
        Shape != 0 && Type != CpoLossType.Simpo ? "shape is AlphaPO's and needs loss simpo"
        : LabelSmoothing != 0 && Type is not (CpoLossType.Sigmoid or CpoLossType.Simpo) ? "label-smoothing needs loss sigmoid or simpo"
        : null;

    public void Validate()
    {
        if (Problem() is { } problem)
            throw new BadInputException($"cpo: {problem}");
    }
}

/// <summary>Log-probs of one preference under the policy.</summary>
public readonly record struct CpoPair(SumLogProb Chosen, SumLogProb Rejected, int ChosenTokens, int RejectedTokens);

/// <param name="Likelihood">Token mean of chosen's negative log-likelihood, before its weight.</param>
/// <param name="Pairs">Rewards beta L (beta a under ipo and simpo, shaped where asked) and log-probs of the same kind.</param>
public readonly record struct CpoLossResult(double Loss, double Likelihood, PairMetrics Pairs)
{
    /// <summary>Names as TRL has them.</summary>
    public void AddTo(IDictionary<string, double> metrics)
    {
        metrics["loss"] = Loss;
        metrics["nll_loss"] = Likelihood;
        Pairs.AddTo(metrics);
    }
}

/// <summary>CPO, SimPO and their kin, of one optimizer step. Formulas and sources: <see cref="CpoLossType"/>.</summary>
public static class CpoLoss
{
    /// <summary>Loss of some of a step's pairs, reduced over the whole step, its gradient with respect to each summed log-prob, and metrics of these pairs.</summary>
    /// <param name="stepPairs">Pairs of the whole optimizer step.</param>
    /// <param name="stepTokens">Chosen response tokens of the whole optimizer step.</param>
    public static CpoLossResult Compute(CpoLossOptions options, ReadOnlySpan<CpoPair> pairs, int stepPairs, long stepTokens, Span<double> gradientChosen, Span<double> gradientRejected)
    {
        options.Validate();
        ArgumentOutOfRangeException.ThrowIfZero(pairs.Length);
        ArgumentOutOfRangeException.ThrowIfLessThan(stepPairs, pairs.Length);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(stepTokens);
        ArgumentOutOfRangeException.ThrowIfNotEqual(gradientChosen.Length, pairs.Length);
        ArgumentOutOfRangeException.ThrowIfNotEqual(gradientRejected.Length, pairs.Length);
        bool perToken = options.Type is CpoLossType.Ipo or CpoLossType.Simpo;
        double sum = 0, likelihood = 0, rewardsW = 0, rewardsL = 0, logProbsW = 0, logProbsL = 0;
        int right = 0;
        for (int i = 0; i < pairs.Length; i++)
        {
            CpoPair pair = pairs[i];
            double scaleW = perToken ? 1.0 / pair.ChosenTokens : 1, scaleL = perToken ? 1.0 / pair.RejectedTokens : 1, w = pair.Chosen.Value * scaleW, l = pair.Rejected.Value * scaleL;
            (double shapedW, double slopeW) = Shape(options.Shape, w);
            (double shapedL, double slopeL) = Shape(options.Shape, l);
            (double loss, double slope) = OnDifference(options, shapedW - shapedL);
            gradientChosen[i] = slope * slopeW * scaleW / stepPairs - options.Likelihood / stepTokens;
            gradientRejected[i] = -slope * slopeL * scaleL / stepPairs;
            sum += loss;
            likelihood -= pair.Chosen.Value;
            rewardsW += options.Beta * shapedW;
            rewardsL += options.Beta * shapedL;
            logProbsW += w;
            logProbsL += l;
            if (options.Beta * shapedW > options.Beta * shapedL)
                right++;
        }
        double n = pairs.Length;
        return new(sum / stepPairs + options.Likelihood * likelihood / stepTokens, likelihood / stepTokens, new PairMetrics(rewardsW / n, rewardsL / n, right / n, logProbsW / n, logProbsL / n));
    }

    // loss and its derivative with respect to the difference d of chosen and rejected
    private static (double Loss, double Slope) OnDifference(CpoLossOptions options, double d)
    {
        double beta = options.Beta;
        switch (options.Type)
        {
            case CpoLossType.Hinge:
                return (Math.Max(0, 1 - beta * d), beta * d < 1 ? -beta : 0);
            case CpoLossType.Ipo:
                double error = d - 1 / (2 * beta);
                return (error * error, 2 * error);
            default:
                double x = beta * d - (options.Type == CpoLossType.Simpo ? options.Gamma : 0), e = options.LabelSmoothing;
                return (-(1 - e) * LogSigmoid(x) - e * LogSigmoid(-x), beta * (e * Sigmoid(x) - (1 - e) * Sigmoid(-x)));
        }
    }

    // (1 - e^(-alpha a)) / alpha and its derivative; the exponent is held where a certain collapse of a has long been seen
    private static (double Value, double Slope) Shape(double alpha, double a)
    {
        const double MaxExponent = 80;
        double exponent = -alpha * a;
        return alpha == 0 ? (a, 1) : exponent > MaxExponent ? (-Expm1(MaxExponent) / alpha, 0) : (-Expm1(exponent) / alpha, Math.Exp(exponent));
    }
}
