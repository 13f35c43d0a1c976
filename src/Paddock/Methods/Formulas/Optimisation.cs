using System.ComponentModel.DataAnnotations;
using Paddock.Backends;
using Paddock.Engine.Training;

namespace Paddock.Methods.Formulas;

/// <summary>AdamW and the shape of its learning-rate schedule, shared by every method that trains; the peak rate is each method's own.</summary>
/// <param name="Schedule">A name of <see cref="Schedules.Names"/>; as in transformers, the first step of a warm-up has rate 0.</param>
/// <param name="Warmup">Share of the steps over which the rate rises from 0.</param>
/// <param name="FinalShare">Share of the peak rate that a schedule with a minimum ends at.</param>
/// <param name="ClipNorm">Global gradient norm to clip to; 0 is off.</param>
public sealed record Optimisation(string Schedule = "cosine_with_min_lr", [Range(0, 1)] double Warmup = 0.05, [Range(0, 1)] double FinalShare = 0.1,
    [Range(0, 1, MaximumIsExclusive = true)] double Beta1 = 0.9, [Range(0, 1, MaximumIsExclusive = true)] double Beta2 = 0.98, [Range(0, double.MaxValue, MinimumIsExclusive = true)] double Epsilon = 1e-8,
    [Range(0, double.MaxValue)] double WeightDecay = 0, [Range(0, double.MaxValue)] double ClipNorm = 1.0)
{
    /// <summary>Names that <see cref="Schedule"/> may be.</summary>
    public static IReadOnlyList<string> ScheduleNames => Schedules.Names;

    /// <summary>Settings of one step: a pure function of the step.</summary>
    public AdamStep At(int step, int steps, double learningRate) =>
        new(Schedules.Rate(Schedule, learningRate, step, (int)Math.Ceiling(Warmup * steps), steps, new ScheduleOptions(MinimumRatio: FinalShare)),
            Beta1, Beta2, Epsilon, WeightDecay, ClipNorm);
}
