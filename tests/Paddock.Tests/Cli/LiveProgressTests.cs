using Paddock.Cli.Terminal;
using Paddock.Studies;
using Spectre.Console;

namespace Paddock.Tests.Cli;

/// <summary>The live display, drawn on a terminal of 80 columns that is a text.</summary>
public sealed class LiveProgressTests
{
    private static readonly DateTimeOffset At = DateTimeOffset.UnixEpoch;

    private static readonly StudyManifest Manifest = new(1, "study", 1, "0", 1, null, null, MachineInfo.Describe(1), []);

    [Fact]
    public async Task Fresh_resumed_and_reused_stages_keep_their_lines()
    {
        string text = await DrawAsync(observer =>
        {
            observer.StageFinished(new("sft", "sft", 1, 3, Reused: true, TimeSpan.Zero, "4000 demonstrations"));
            observer.StageStarted(new("rm", "reward-model", 2, 3, 7, At));
            observer.Metrics(new("rm", 8, new Dictionary<string, double> { ["loss"] = 0.6931 }, TimeSpan.FromSeconds(1)));
            observer.Progress(new("rm", 8, 16, "steps", TimeSpan.FromSeconds(1), 2.25, TimeSpan.FromSeconds(4)));
            observer.Progress(new("rm", 16, 16, "steps", TimeSpan.FromSeconds(5), 2.25, TimeSpan.Zero));
            observer.StageFinished(new("rm", "reward-model", 2, 3, Reused: false, TimeSpan.FromSeconds(5), null));
            observer.StageStarted(new("dpo", "dpo", 3, 3, null, At));
            observer.StageFinished(new("dpo", "dpo", 3, 3, Reused: false, TimeSpan.FromSeconds(125), null));
        });
        string[] last = Lines(text)[^3..];
        Assert.Equal(["1/3 sft reused", "2/3 rm reward-model, 5.0 s", "3/3 dpo dpo, 2 min 05 s"], last.Select(line => line.Split("━")[0].Trim()));
        Assert.All(last, line => Assert.Contains("100%", line, StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_looks_like_markup_is_shown_as_it_is_and_a_warning_stays_above_the_bars()
    {
        string text = await DrawAsync(observer =>
        {
            observer.StageStarted(new("[red]x", "sft", 1, 1, null, At));
            observer.Progress(new("[red]x", 1, 2, "[rows]", TimeSpan.FromSeconds(1), null, null));
            observer.Warned(new("[red]x", "3 rows [of 9] were too long"));
            observer.StageFinished(new("[red]x", "sft", 1, 1, Reused: false, TimeSpan.FromSeconds(1), null));
        });
        Assert.Contains("[red]x: 3 rows [of 9] were too long", text, StringComparison.Ordinal);
        Assert.StartsWith("1/1 [red]x sft, 1.0 s", Lines(text)[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_line_is_wider_than_the_screen()
    {
        string text = await DrawAsync(observer =>
        {
            string name = new('n', 60);
            observer.StageStarted(new(name, "expert-iteration", 10, 12, null, At));
            observer.Metrics(new(name, 8, new Dictionary<string, double> { ["loss"] = 0.6931 }, TimeSpan.FromSeconds(1)));
            observer.Progress(new(name, 1000, 1_000_000, "answers", TimeSpan.FromHours(1), 12345.6, TimeSpan.FromHours(30)));
            Thread.Sleep(250); // lets the display draw the bar at work
            observer.StageFinished(new(name, "expert-iteration", 10, 12, Reused: false, TimeSpan.FromHours(31), null));
        });
        Assert.All(Lines(text), line => Assert.True(line.Length <= 80, $"{line.Length} columns: {line}"));
    }

    [Theory]
    [InlineData(12345.6, "12,346 steps/s")]
    [InlineData(2.25, "2.3 steps/s")]
    [InlineData(0.0712, "4.3 steps/min")]
    [InlineData(null, "steps")]
    public void A_rate_below_one_a_second_is_told_by_the_minute(double? perSecond, string shown) =>
        Assert.Equal(shown, StudyProgress.Rate(new("dpo", 1, 14, "steps", TimeSpan.FromSeconds(1), perSecond, null)));

    [Fact]
    public async Task An_error_of_the_study_comes_through()
    {
        await Assert.ThrowsAsync<InvalidOperationException>(() => DrawAsync(observer =>
        {
            observer.StageStarted(new("sft", "sft", 1, 1, null, At));
            throw new InvalidOperationException("no");
        }));
    }

    private static async Task<string> DrawAsync(Action<IStudyObserver> study)
    {
        using StringWriter text = new();
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(text), Ansi = AnsiSupport.Yes, ColorSystem = ColorSystemSupport.TrueColor, Interactive = InteractionSupport.Yes });
        (console.Profile.Width, console.Profile.Height) = (80, 40);
        Recipe recipe = new("study", 1, []);
        StudyManifest made = await StudyProgress.WatchAsync(recipe, console, live: true, observer =>
        {
            study(observer);
            return Task.FromResult(Manifest);
        });
        Assert.Same(Manifest, made);
        return text.ToString();
    }

    // without the terminal's control sequences
    private static string[] Lines(string text) =>
        [.. System.Text.RegularExpressions.Regex.Replace(text, "\u001b\\[[0-9;?]*[A-Za-z]", "").Split('\n', '\r').Select(line => line.TrimEnd()).Where(line => line.Length > 0)];
}
