using Paddock.Engine;

namespace Paddock.Methods.Formulas;

/// <summary>
/// Losses on answers with group-relative advantages. rho = p / p_old of a token; s = exp(mean of log rho over the answer's tokens); n tokens of an
/// answer, B answers and N tokens of an optimizer step.
/// </summary>
public enum GrpoLossType
{
    /// <summary>-min(rho A, clip(rho) A), sum / N over the step (DAPO, arXiv 2503.14476).</summary>
    Dapo,

    /// <summary>The same, mean over answers of the token mean (GRPO, arXiv 2402.03300).</summary>
    Grpo,

    /// <summary>The same, token mean of the step; equal to dapo here, where a step is always reduced whole.</summary>
    Bnpo,

    /// <summary>The same, sum / (B times the length limit) (Dr. GRPO, arXiv 2503.20783).</summary>
    DrGrpo,

    /// <summary>s in place of rho, mean over answers (GSPO, arXiv 2507.18071).</summary>
    Gspo,

    /// <summary>s with the gradient of the token's own log-prob (arXiv 2507.18071, section 4.3), as grpo.</summary>
    GspoToken,

    /// <summary>-min(rho, clip-high) A log p with the ratio held fixed, sum / N (CISPO, arXiv 2506.13585).</summary>
    Cispo,

    /// <summary>-(4/t) sigmoid(t (rho - 1)) A, t = 1 for A above 0 else 1.05, as grpo (SAPO, arXiv 2511.20347).</summary>
    Sapo,

    /// <summary>s, each answer weighted by its length, mean over answers (LUSPO, arXiv 2602.05261).</summary>
    Luspo,

    /// <summary>-phi A log p, phi = e^(l + k W - l e^W) held fixed, W = sum of log rho (VESPO, arXiv 2602.10693), sum / N.</summary>
    Vespo,

    /// <summary>-exp(mean of log rho, each clipped on A's side) A, mean over answers (GMPO, arXiv 2507.20673).</summary>
    Gmpo,
}

/// <param name="ClipLow">How far a ratio may fall below 1; the loss's own when null.</param>
/// <param name="ClipHigh">How far it may rise above 1 (cispo: the largest ratio itself); the loss's own when null.</param>
/// <param name="Delta">Upper bound of the unclipped ratio (INTELLECT-2, arXiv 2505.07291); null is off.</param>
/// <param name="Beta">Weight of the KL term k3; 0 is off.</param>
/// <param name="UnbiasedKl">Multiplies k3 by the ratio, so that its gradient is that of the KL on samples of the old policy too.</param>
/// <param name="Entropy">Weight of an entropy bonus; 0 is off.</param>
/// <param name="OffPolicyKl">Answers with A below 0 whose mean log p_old - log p exceeds it are left out (arXiv 2512.02556); null is off.</param>
public sealed record GrpoLossOptions(GrpoLossType Loss = GrpoLossType.Dapo, double? ClipLow = null, double? ClipHigh = null, double? Delta = null, double Beta = 0, bool UnbiasedKl = true, double Entropy = 0,
    double? OffPolicyKl = null)
{
    /// <summary>The lower clip in force.</summary>
    public double Low => ClipLow ?? Loss switch { GrpoLossType.Gspo or GrpoLossType.GspoToken or GrpoLossType.Luspo => 3e-4, GrpoLossType.Gmpo => 0.4, _ => 0.2 };

    /// <summary>The upper clip in force.</summary>
    public double High => ClipHigh ?? Loss switch
    {
        GrpoLossType.Gspo or GrpoLossType.GspoToken or GrpoLossType.Luspo => 4e-4,
        GrpoLossType.Gmpo => 0.4,
        GrpoLossType.Cispo => 5,
        GrpoLossType.Dapo => 0.28,
        _ => 0.2,
    };

    /// <summary>What is undefined, in words; null when all is well.</summary>
    public string? Problem() => Delta != null && Loss is not (GrpoLossType.Dapo or GrpoLossType.Grpo or GrpoLossType.Bnpo or GrpoLossType.DrGrpo or GrpoLossType.Gspo or GrpoLossType.Luspo)
        ? $"loss {Loss} has no clipped ratio that a delta could bound; leave delta out" : null;

    /// <summary>Throws a clear error for settings that no loss is defined for.</summary>
    public void Validate()
    {
        if (Problem() is { } problem)
            throw new BadInputException($"grpo: {problem}");
    }
}
