using System.Globalization;
using Spectre.Console;

namespace Paddock.Cli.Terminal;

/// <summary>
/// The two places output goes. What was asked for is a result and goes to standard output, so that it can be piped and kept; progress,
/// remarks and errors go to standard error. Under <c>--json</c> standard output is for the program that reads it, and results for people
/// join the remarks.
/// </summary>
internal static class Screen
{
    // a file or a pipe has no screen to fit: nothing wraps
    private const int Unlimited = 10_000;

    private static readonly Lock Gate = new();
    private static (TextWriter Writer, IAnsiConsole Console)? _output, _error;

    /// <summary>Standard error: progress and remarks.</summary>
    public static IAnsiConsole Error
    {
        get
        {
            lock (Gate)
                return Of(ref _error, Console.Error, Console.IsErrorRedirected);
        }
    }

    /// <summary>Whether a person watches: then progress is drawn live, otherwise it is a plain log.</summary>
    public static bool IsLive => !Console.IsErrorRedirected && Error.Profile.Capabilities.Interactive;

    /// <summary>Where what a person asked to see goes.</summary>
    /// <param name="json">Whether standard output is to hold JSON alone.</param>
    public static IAnsiConsole Result(bool json = false)
    {
        if (json)
            return Error;
        lock (Gate)
            return Of(ref _output, Console.Out, Console.IsOutputRedirected);
    }

    /// <summary>A table of plain columns; each keeps to one line.</summary>
    public static Table Table(params Column[] columns)
    {
        Table table = new() { Border = TableBorder.None, ShowHeaders = true };
        for (int i = 0; i < columns.Length; i++)
            table.AddColumn(new TableColumn($"[bold]{Markup.Escape(columns[i].Title)}[/]")
            {
                NoWrap = !columns[i].Wraps,
                Alignment = columns[i].IsNumber ? Justify.Right : Justify.Left,
                Padding = new Padding(0, 0, i == columns.Length - 1 ? 0 : 2, 0),
            });
        return table;
    }

    /// <summary>12 s, 3 min 05 s, 2 h 10 min.</summary>
    public static string Duration(TimeSpan time) => time.TotalSeconds < 9.95 ? Text($"{time.TotalSeconds:0.0} s")
        : time.TotalSeconds < 99.5 ? Text($"{time.TotalSeconds:0} s")
        : time.TotalMinutes < 99.5 ? Text($"{(int)time.TotalMinutes} min {time.Seconds:00} s")
        : Text($"{(int)time.TotalHours} h {time.Minutes:00} min");

    /// <summary>12 KB, 3.4 MB; nothing for nothing.</summary>
    public static string Size(long bytes) => bytes switch
    {
        0 => "",
        < 1 << 20 => Text($"{Math.Max(1, bytes / 1024.0):0} KB"),
        < 1 << 30 => Text($"{bytes / (double)(1 << 20):0.0} MB"),
        _ => Text($"{bytes / (double)(1 << 30):0.0} GB"),
    };

    /// <summary>A count with its noun: 1 stage, 2 stages.</summary>
    public static string Counted(long count, string noun) => Text($"{count:N0} {noun}{(count == 1 ? "" : "s")}");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    // a console for each writer: whoever redirects Console gets a new one
    private static IAnsiConsole Of(ref (TextWriter Writer, IAnsiConsole Console)? made, TextWriter writer, bool isFile)
    {
        if (made is { } known && ReferenceEquals(known.Writer, writer))
            return known.Console;
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(isFile ? new TrimmedWriter(writer) : writer),
            Ansi = isFile ? AnsiSupport.No : AnsiSupport.Detect,
            ColorSystem = isFile ? ColorSystemSupport.NoColors : ColorSystemSupport.Detect,
            Interactive = isFile ? InteractionSupport.No : InteractionSupport.Detect,
        });
        if (isFile)
            console.Profile.Width = Unlimited;
        made = (writer, console);
        return console;
    }
}

/// <summary>A column of a <see cref="Screen.Table"/>; a text stands for a plain one.</summary>
/// <param name="IsNumber">Aligned at the right.</param>
/// <param name="Wraps">Takes further lines where the screen is too narrow.</param>
internal readonly record struct Column(string Title, bool IsNumber = false, bool Wraps = false)
{
    public static Column Number(string title) => new(title, IsNumber: true);

    public static Column Wrapped(string title) => new(title, Wraps: true);

    public static implicit operator Column(string title) => new(title);
}
