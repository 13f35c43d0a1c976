using Paddock.Methods.Formulas;

namespace Paddock.Studies.Stages;

/// <summary>Checks that several stages share.</summary>
internal static class TrainingChecks
{
    /// <summary>Of the optimizer and the adapters.</summary>
    public static IEnumerable<StageProblem> Problems(Optimisation optimisation, LoraSettings? lora) =>
        [.. StageChecks.OneOf("schedule", optimisation.Schedule, Optimisation.ScheduleNames, "schedule", "schedules"), .. LoraSettings.Problems(lora)];

    /// <summary>Of a method that takes hard labels only.</summary>
    public static IEnumerable<StageProblem> HardLabels(StageChecks checks, string data)
    {
        if (checks.Earlier(data) is AnnotateStage { Soft: true })
            yield return new("data", $"must have hard labels, and '{data}' writes soft ones; leave soft out of '{data}'");
    }

    /// <summary>Of several answers to a prompt, which temperature 0 makes the same.</summary>
    public static IEnumerable<StageProblem> Answers(string key, int n, double temperature)
    {
        if (n > 1 && (float)temperature == 0)
            yield return new(key, $"must be 1 at temperature 0, where all {n} answers would be the same");
    }
}
