using Paddock.Backends;
using Paddock.Engine.Training;

namespace Paddock.Methods.Formulas;

/// <summary>AdamW and the shape of its learning-rate schedule, shared by every method that trains; the peak rate is each method's own.</summary>
/// <param name="Schedule">A name of <see cref="Schedules.Names"/>; as in transformers, the first step of a warm-up has rate 0.</param>
/// <param name="Warmup">Share of the steps over which the rate rises from 0.</param>
/// <param name="FinalShare">Share of the peak rate that a schedule with a minimum ends at.</param>
/// <param name="ClipNorm">Global gradient norm to clip to; 0 is off.</param>
public sealed record Optimisation(string Schedule = "cosine_with_min_lr", double Warmup = 0.05, double FinalShare = 0.1,
    double Beta1 = 0.9, double Beta2 = 0.98, double Epsilon = 1e-8, double WeightDecay = 0, double ClipNorm = 1.0)
{
    /// <summary>Settings of one step: a pure function of the step.</summary>
    public AdamStep At(int step, int steps, double learningRate) =>
        new(Schedules.Rate(Schedule, learningRate, step, (int)Math.Ceiling(Warmup * steps), steps, new ScheduleOptions(MinimumRatio: FinalShare)),
            Beta1, Beta2, Epsilon, WeightDecay, ClipNorm);
}
