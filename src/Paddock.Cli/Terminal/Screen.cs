using Spectre.Console;

namespace Paddock.Cli.Terminal;

/// <summary>The two places output goes: results for programs on standard output, everything for people on standard error.</summary>
internal static class Screen
{
    public static IAnsiConsole Error { get; } = Create();

    /// <summary>Whether a person watches: then progress is drawn live, otherwise it is a plain log.</summary>
    public static bool IsLive => !Console.IsErrorRedirected && Error.Profile.Capabilities.Interactive;

    public static Table Table(params string[] columns)
    {
        Table table = new() { Border = TableBorder.None, ShowHeaders = true };
        foreach (string column in columns)
            table.AddColumn(new TableColumn($"[bold]{Markup.Escape(column)}[/]") { NoWrap = true, Padding = new Padding(0, 0, 2, 0) });
        return table;
    }

    /// <summary>12 s, 3 min 05 s, 2 h 10 min.</summary>
    public static string Duration(TimeSpan time) => time.TotalSeconds < 9.95 ? $"{time.TotalSeconds:0.0} s"
        : time.TotalSeconds < 99.5 ? $"{time.TotalSeconds:0} s"
        : time.TotalMinutes < 99.5 ? $"{(int)time.TotalMinutes} min {time.Seconds:00} s"
        : $"{(int)time.TotalHours} h {time.Minutes:00} min";

    private static IAnsiConsole Create()
    {
        bool isFile = Console.IsErrorRedirected;
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(Console.Error),
            Ansi = isFile ? AnsiSupport.No : AnsiSupport.Detect,
            Interactive = isFile ? InteractionSupport.No : InteractionSupport.Detect,
        });
        // a log has no screen to fit
        if (isFile)
            console.Profile.Width = 160;
        return console;
    }
}
