using static Paddock.Engine.Numerics.ScalarMath;

namespace Paddock.Methods.Formulas;

/// <summary>Losses on answers with a thumb up or down; r = log pi - log ref over the answer, s = sigmoid.</summary>
public enum KtoLossType
{
    /// <summary>w_D (1 - s(beta (r - z))) or w_U (1 - s(beta (z - r))): KTO (Ethayarajh et al. 2024, arXiv 2402.01306, eq. 8).</summary>
    Kto,

    /// <summary>w_D (1 - s(beta r)) or w_U s(beta r): APO-zero on unpaired labels (arXiv 2408.06266). KTO with z held at 0.</summary>
    ApoZeroUnpaired,
}

/// <param name="DesirableWeight">w_D: weight of answers with a thumb up.</param>
/// <param name="UndesirableWeight">w_U: weight of answers with a thumb down.</param>
public sealed record KtoLossOptions(KtoLossType Type = KtoLossType.Kto, double Beta = 0.1, double DesirableWeight = 1, double UndesirableWeight = 1);

/// <param name="Kl">z after its clamp: how far the policy is taken to be from its reference.</param>
public readonly record struct KtoLossResult(double Loss, double Kl, LabelMetrics Metrics);

/// <summary>
/// Prospect-theoretic loss of one optimizer step: a mean over all its rows, whatever their classes. The anchor z is a constant of the step
/// and nothing is differentiated through it.
/// </summary>
public static class KtoLoss
{
    /// <summary>
    /// z = max(0, mean of log pi(y') - log ref(y')), y' the answers of other rows of the step: the mean first, the clamp after it.
    /// 0 where there is no other row.
    /// </summary>
    public static double Anchor(ReadOnlySpan<double> mismatchedRatios)
    {
        double sum = 0;
        foreach (double ratio in mismatchedRatios)
            sum += ratio;
        return mismatchedRatios.Length == 0 ? 0 : Math.Max(0, sum / mismatchedRatios.Length);
    }

    /// <summary>Loss, metrics, and the gradient with respect to each summed log-prob, the mean's 1/B included.</summary>
    public static KtoLossResult Compute(KtoLossOptions options, double anchor, ReadOnlySpan<LabelledLogProb> rows, Span<double> gradient)
    {
        ArgumentOutOfRangeException.ThrowIfZero(rows.Length);
        ArgumentOutOfRangeException.ThrowIfNotEqual(gradient.Length, rows.Length);
        double z = options.Type == KtoLossType.ApoZeroUnpaired ? 0 : anchor, loss = 0;
        for (int i = 0; i < rows.Length; i++)
        {
            double sign = rows[i].Desirable ? 1 : -1, weight = rows[i].Desirable ? options.DesirableWeight : options.UndesirableWeight;
            double x = sign * options.Beta * (rows[i].Ratio - z);
            loss += weight * Sigmoid(-x); // 1 - s(x)
            gradient[i] = -sign * weight * options.Beta * SigmoidSlope(x) / rows.Length;
        }
        return new(loss / rows.Length, z, LabelMetrics.Of(options.Beta, rows));
    }
}
