namespace Paddock.Studies;

/// <summary>Watches a study run; calls never overlap. Times come from the runner's clock.</summary>
public interface IStudyObserver
{
    /// <summary>A stage begins or continues; not called for one that is reused.</summary>
    void StageStarted(StageStarted started);

    void Progress(StageProgress progress);

    void Metrics(StageMetrics metrics);

    void Warned(StageWarning warning);

    void StageFinished(StageFinished finished);
}

/// <param name="Position">From 1.</param>
/// <param name="Total">Stages in the study.</param>
/// <param name="ResumedFromStep">Steps done by earlier attempts; null on a fresh start.</param>
public sealed record StageStarted(string Name, string Kind, int Position, int Total, int? ResumedFromStep, DateTimeOffset At);

/// <param name="Elapsed">Since the stage began in this process.</param>
/// <param name="PerSecond">Rate of this process, work of earlier attempts left out; null until it is known.</param>
/// <param name="Left">Time left at this rate; null until it is known.</param>
public sealed record StageProgress(string Name, long Done, long Total, string Unit, TimeSpan Elapsed, double? PerSecond, TimeSpan? Left);

public sealed record StageMetrics(string Name, int Step, IReadOnlyDictionary<string, double> Values, TimeSpan Elapsed);

public sealed record StageWarning(string Name, string Message);

/// <param name="Elapsed">Of this process; zero when reused.</param>
/// <param name="Summary">The stage's own line about its result.</param>
public sealed record StageFinished(string Name, string Kind, int Position, int Total, bool Reused, TimeSpan Elapsed, string? Summary);
