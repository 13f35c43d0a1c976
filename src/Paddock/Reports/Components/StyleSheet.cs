namespace Paddock.Reports.Components;

/// <summary>The page's only style sheet, written into its head.</summary>
internal static class StyleSheet
{
    private static readonly Lazy<string> Sheet = new(() =>
    {
        using StreamReader reader = new(typeof(StyleSheet).Assembly.GetManifestResourceStream("report.css")!);
        return reader.ReadToEnd();
    });

    public static string Text => Sheet.Value;
}
