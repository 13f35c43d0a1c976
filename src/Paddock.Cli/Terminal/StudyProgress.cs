using Paddock.Studies;
using Spectre.Console;

namespace Paddock.Cli.Terminal;

/// <summary>Shows a study as it runs: live bars for a person at a terminal, one plain line at a time anywhere else.</summary>
internal static class StudyProgress
{
    public static async Task<StudyManifest> WatchAsync(Recipe recipe, Func<IStudyObserver, Task<StudyManifest>> run)
    {
        Screen.Error.MarkupLine($"[bold]{Markup.Escape(recipe.Study)}[/], seed {recipe.Seed}");
        if (!Screen.IsLive)
            return await run(new PlainProgress());
        return await Screen.Error.Progress()
            .AutoClear(false)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn { Width = 20 }, new PercentageColumn(), new SpinnerColumn())
            .StartAsync(async context => await Task.Run(() => run(new LiveProgress(context))));
    }
}

/// <summary>A line when a stage begins and ends, and one now and then between.</summary>
internal sealed class PlainProgress : IStudyObserver
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    private TimeSpan _lastShown;

    public void StageStarted(StageStarted started)
    {
        _lastShown = TimeSpan.Zero;
        string resumed = started.ResumedFromStep is { } step ? $", continues after step {step}" : "";
        Write($"[{started.Position}/{started.Total}] {started.Name}: {started.Kind}{resumed}");
    }

    public void Progress(StageProgress progress)
    {
        if (progress.Elapsed - _lastShown < Interval)
            return;
        _lastShown = progress.Elapsed;
        string rate = progress.PerSecond is { } perSecond ? $", {perSecond:0.#} {progress.Unit}/s" : "", left = progress.Left is { } time ? $", {Screen.Duration(time)} left" : "";
        Write($"    {progress.Name}: {progress.Done:N0} of {progress.Total:N0} {progress.Unit}{rate}{left}");
    }

    public void Metrics(StageMetrics metrics) { }

    public void Warned(StageWarning warning) => Write($"    {warning.Name}: warning: {warning.Message}");

    public void StageFinished(StageFinished finished) =>
        Write($"[{finished.Position}/{finished.Total}] {finished.Name}: {(finished.Reused ? "reused" : $"done in {Screen.Duration(finished.Elapsed)}")}{(finished.Summary == null ? "" : $": {finished.Summary}")}");

    private static void Write(string line) => Console.Error.WriteLine(line);
}

/// <summary>One bar a stage, with rate and time left; finished stages keep their line.</summary>
internal sealed class LiveProgress(ProgressContext context) : IStudyObserver
{
    private ProgressTask? _task;
    private string _latest = "";

    public void StageStarted(StageStarted started)
    {
        _latest = "";
        _task = context.AddTask(Title(started.Position, started.Total, started.Name, started.ResumedFromStep is { } step ? $"continues after step {step}" : started.Kind));
        _task.IsIndeterminate = true;
    }

    public void Progress(StageProgress progress)
    {
        if (_task is not { } task)
            return;
        task.IsIndeterminate = false;
        task.MaxValue = progress.Total;
        task.Value = progress.Done;
        string rate = progress.PerSecond is { } perSecond ? $"{perSecond:0.#} {progress.Unit}/s" : progress.Unit, left = progress.Left is { } time ? $" {Screen.Duration(time)} left" : "";
        int end = task.Description.IndexOf("[dim]", StringComparison.Ordinal);
        task.Description = $"{task.Description[..end]}[dim]{Markup.Escape($"{rate}{left}{_latest}")}[/]";
    }

    public void Metrics(StageMetrics metrics)
    {
        if (metrics.Values.TryGetValue("loss", out double loss))
            _latest = $", loss {loss:0.000}";
    }

    public void Warned(StageWarning warning) => Screen.Error.MarkupLine($"[yellow]{Markup.Escape(warning.Name)}: {Markup.Escape(warning.Message)}[/]");

    public void StageFinished(StageFinished finished)
    {
        string title = Title(finished.Position, finished.Total, finished.Name, finished.Reused ? "reused" : $"{finished.Kind}, {Screen.Duration(finished.Elapsed)}");
        ProgressTask task = finished.Reused || _task == null ? context.AddTask(title) : _task;
        task.IsIndeterminate = false;
        task.Value = task.MaxValue;
        task.Description = title;
        task.StopTask();
        _task = null;
    }

    private static string Title(int position, int total, string name, string about) => $"{position}/{total} {Markup.Escape(name)} [dim]{Markup.Escape(about)}[/]";
}
