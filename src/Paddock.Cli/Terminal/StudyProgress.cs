using System.Globalization;
using Paddock.Studies;
using Spectre.Console;

namespace Paddock.Cli.Terminal;

/// <summary>Shows a study as it runs: live bars for a person at a terminal, one plain line at a time anywhere else.</summary>
internal static class StudyProgress
{
    /// <param name="live">Whether <paramref name="console"/> can redraw what it shows.</param>
    public static async Task<StudyManifest> WatchAsync(Recipe recipe, IAnsiConsole console, bool live, Func<IStudyObserver, Task<StudyManifest>> run)
    {
        console.MarkupLine($"[bold]{Markup.Escape(recipe.Study)}[/], seed {recipe.Seed}");
        if (!live)
            return await run(new PlainProgress(console));
        return await console.Progress()
            .AutoClear(false)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn { Width = 16 }, new PercentageColumn(), new SpinnerColumn())
            .StartAsync(async context => await Task.Run(() => run(new LiveProgress(console, context))));
    }

    /// <summary>12.3 steps/s; 14 steps/min where a second sees less than one; the unit alone while the rate is unknown.</summary>
    internal static string Rate(StageProgress progress) => progress.PerSecond switch
    {
        null => progress.Unit,
        < 1 and { } slow => $"{Digits(60 * slow)} {progress.Unit}/min",
        { } fast => $"{Digits(fast)} {progress.Unit}/s",
    };

    private static string Digits(double rate) => rate.ToString(rate < 99.95 ? "0.#" : "N0", CultureInfo.InvariantCulture);
}

/// <summary>A line when a stage begins and ends, and one now and then between.</summary>
internal sealed class PlainProgress(IAnsiConsole console) : IStudyObserver
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    private TimeSpan _lastShown;

    public void StageStarted(StageStarted started)
    {
        _lastShown = TimeSpan.Zero;
        string resumed = started.ResumedFromStep is { } step ? $", continues after step {step}" : "";
        console.WriteLine($"[{started.Position}/{started.Total}] {started.Name}: {started.Kind}{resumed}");
    }

    public void Progress(StageProgress progress)
    {
        if (progress.Elapsed - _lastShown < Interval)
            return;
        _lastShown = progress.Elapsed;
        string rate = progress.PerSecond == null ? "" : $", {StudyProgress.Rate(progress)}", left = progress.Left is { } time ? $", {Screen.Duration(time)} left" : "";
        console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"    {progress.Name}: {progress.Done:N0} of {progress.Total:N0} {progress.Unit}{rate}{left}"));
    }

    public void Metrics(StageMetrics metrics) { }

    public void Warned(StageWarning warning) => console.WriteLine($"    {warning.Name}: warning: {warning.Message}");

    public void StageFinished(StageFinished finished) =>
        console.WriteLine($"[{finished.Position}/{finished.Total}] {finished.Name}: {(finished.Reused ? "reused" : $"done in {Screen.Duration(finished.Elapsed)}")}{(finished.Summary == null ? "" : $": {finished.Summary}")}");
}

/// <summary>One bar a stage, with rate and time left; finished stages keep their line.</summary>
internal sealed class LiveProgress(IAnsiConsole console, ProgressContext context) : IStudyObserver
{
    private ProgressTask? _task;
    private string _title = "", _latest = "";

    public void StageStarted(StageStarted started)
    {
        _latest = "";
        _title = Title(started.Position, started.Total, started.Name);
        _task = context.AddTask($"{_title} {Dim(started.ResumedFromStep is { } step ? $"continues after step {step}" : started.Kind)}");
        _task.IsIndeterminate = true;
    }

    public void Progress(StageProgress progress)
    {
        if (_task is not { } task)
            return;
        task.IsIndeterminate = false;
        task.MaxValue = progress.Total;
        task.Value = progress.Done;
        task.Description = $"{_title} {Dim($"{StudyProgress.Rate(progress)}{(progress.Left is { } left ? $", {Screen.Duration(left)} left" : "")}{_latest}")}";
    }

    public void Metrics(StageMetrics metrics)
    {
        if (metrics.Values.TryGetValue("loss", out double loss))
            _latest = string.Create(CultureInfo.InvariantCulture, $", loss {loss:0.000}");
    }

    public void Warned(StageWarning warning) => console.MarkupLine($"[yellow]{Markup.Escape(warning.Name)}: {Markup.Escape(warning.Message)}[/]");

    public void StageFinished(StageFinished finished)
    {
        string title = $"{Title(finished.Position, finished.Total, finished.Name)} {Dim(finished.Reused ? "reused" : $"{finished.Kind}, {Screen.Duration(finished.Elapsed)}")}";
        // a reused stage never started
        ProgressTask task = finished.Reused || _task == null ? context.AddTask(title) : _task;
        task.IsIndeterminate = false;
        task.Value = task.MaxValue;
        task.Description = title;
        task.StopTask();
        _task = null;
    }

    private static string Title(int position, int total, string name) => $"{position}/{total} {Markup.Escape(name)}";

    private static string Dim(string text) => $"[dim]{Markup.Escape(text)}[/]";
}
