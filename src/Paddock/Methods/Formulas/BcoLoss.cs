using static Paddock.Engine.Numerics.ScalarMath;

namespace Paddock.Methods.Formulas;

/// <summary>Mean of everything added so far, batch by batch.</summary>
public readonly record struct RunningMean(double Value = 0, long Count = 0)
{
    public RunningMean With(ReadOnlySpan<double> values)
    {
        double sum = 0;
        foreach (double value in values)
            sum += value - Value;
        return values.Length == 0 ? this : new(Value + sum / (Count + values.Length), Count + values.Length);
    }
}

/// <param name="Delta">The shift that was used.</param>
public readonly record struct BcoLossResult(double Loss, double Delta, LabelMetrics Metrics);

/// <summary>
/// BCO (Jung et al. 2024, arXiv 2404.04656): a binary classifier of the implicit reward R = beta (log pi - log ref) around a shift delta,
/// -log s(R - delta) for a desirable answer and -log s(delta - R) for an undesirable one, a mean over all rows. Delta is not differentiated.
/// </summary>
public static class BcoLoss
{
    /// <summary>The running mean of all rewards, this step's included: what the step is shifted by.</summary>
    public static RunningMean Shift(RunningMean before, double beta, ReadOnlySpan<LabelledLogProb> rows)
    {
        double[] rewards = new double[rows.Length];
        for (int i = 0; i < rows.Length; i++)
            rewards[i] = beta * rows[i].Ratio;
        return before.With(rewards);
    }

    /// <summary>Loss, metrics, and the gradient with respect to each summed log-prob, the mean's 1/B included.</summary>
    public static BcoLossResult Compute(double beta, double delta, ReadOnlySpan<LabelledLogProb> rows, Span<double> gradient)
    {
        ArgumentOutOfRangeException.ThrowIfZero(rows.Length);
        ArgumentOutOfRangeException.ThrowIfNotEqual(gradient.Length, rows.Length);
        double loss = 0;
        for (int i = 0; i < rows.Length; i++)
        {
            double sign = rows[i].Desirable ? 1 : -1, x = sign * (beta * rows[i].Ratio - delta);
            loss -= LogSigmoid(x);
            gradient[i] = -sign * beta * Sigmoid(-x) / rows.Length;
        }
        return new(loss / rows.Length, delta, LabelMetrics.Of(beta, rows));
    }
}
