namespace Paddock.Studies;

/// <summary>What one stage tells the observer: adds names, times and rates, one call at a time.</summary>
internal sealed class StageReports(PlannedStage stage, int position, int total, IStudyObserver observer, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly string _name = stage.Stage.Name;
    private long _started = time.GetTimestamp();
    private (long Done, long At)? _first;

    public void Started(int? resumedFromStep)
    {
        lock (_gate)
        {
            _started = time.GetTimestamp();
            observer.StageStarted(new StageStarted(_name, stage.Kind, position, total, resumedFromStep, time.GetUtcNow()));
        }
    }

    public void Progress(long done, long of, string unit)
    {
        lock (_gate)
        {
            long now = time.GetTimestamp();
            // a resumed stage begins part of the way: the rate is that of this process only
            if (_first is not { } first || done < first.Done)
                _first = first = (done, now);
            double seconds = time.GetElapsedTime(first.At, now).TotalSeconds;
            double? rate = seconds > 0 && done > first.Done ? (done - first.Done) / seconds : null;
            double? left = rate is { } r ? Math.Max(of - done, 0) / r : null;
            observer.Progress(new StageProgress(_name, done, of, unit, Elapsed, rate, left < TimeSpan.MaxValue.TotalSeconds ? TimeSpan.FromSeconds(left.Value) : null));
        }
    }

    public void Metrics(int step, IReadOnlyDictionary<string, double> values)
    {
        lock (_gate)
            observer.Metrics(new StageMetrics(_name, step, values, Elapsed));
    }

    public void Warned(string message)
    {
        lock (_gate)
            observer.Warned(new StageWarning(_name, message));
    }

    public void Finished(bool reused, string? summary)
    {
        lock (_gate)
            observer.StageFinished(new StageFinished(_name, stage.Kind, position, total, reused, reused ? TimeSpan.Zero : Elapsed, summary));
    }

    private TimeSpan Elapsed => time.GetElapsedTime(_started);
}
