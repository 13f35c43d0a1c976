using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Paddock.Engine;
using Paddock.Reports.Components;
using Paddock.Storage;

namespace Paddock.Reports;

/// <summary>The report of a study: one HTML file that needs no network, no script and no other file.</summary>
public static partial class StudyReport
{
    /// <summary>Writes the report of one seed to <paramref name="path"/>, whole or not at all.</summary>
    public static void Write(string path, StudySummary summary, TimeProvider time) => Write(path, [summary], time);

    /// <summary>Writes one report of several seeds of the same recipe: means over seeds, with the spread between them.</summary>
    public static void Write(string path, IReadOnlyList<StudySummary> seeds, TimeProvider time) => WholeFile.WriteText(path, Render(seeds, time.GetUtcNow()));

    /// <summary>The page as text; the same summary and date give the same text.</summary>
    public static string Render(StudySummary summary, DateTimeOffset at) => Render([summary], at);

    /// <summary>As <see cref="Render(StudySummary, DateTimeOffset)"/>, for at least one seed.</summary>
    public static string Render(IReadOnlyList<StudySummary> seeds, DateTimeOffset at) => RenderPage<ReportPage>(nameof(ReportPage.View), ReportView.Of(seeds, at));

    /// <summary>A page of one component with one parameter.</summary>
    internal static string RenderPage<TPage>(string parameter, object view) where TPage : IComponent => RenderAsync<TPage>(parameter, view).GetAwaiter().GetResult();

    // the components need no services, never wait and are made anew for every page
    private static async Task<string> RenderAsync<TPage>(string parameter, object view) where TPage : IComponent
    {
        await using ServiceProvider services = new ServiceCollection().BuildServiceProvider();
        await using HtmlRenderer renderer = new(services, NullLoggerFactory.Instance);
        string html = await renderer.Dispatcher.InvokeAsync(async () =>
            (await renderer.RenderComponentAsync<TPage>(ParameterView.FromDictionary(new Dictionary<string, object?> { [parameter] = view }))).ToHtmlString()).ConfigureAwait(false);
        return "<!DOCTYPE html>\n" + Settle(html) + "\n";
    }

    /// <summary>
    /// The encoder writes every character of foreign text that is not plain ASCII as a reference. Letters become themselves again (a
    /// report in Chinese is a third as long); characters that no document may hold, or that reorder the text around them, become visible.
    /// </summary>
    internal static string Settle(string html) => Reference().Replace(html, match =>
    {
        int code = int.Parse(match.ValueSpan[3..^1], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        return code switch
        {
            '\t' or '\n' => ((char)code).ToString(),
            < 0x20 => ((char)(0x2400 + code)).ToString(), // control pictures
            < 0x7F => match.Value,
            0x7F => "␡",
            < 0xA0 or (>= 0xD800 and < 0xE000) or > 0x10FFFF => "\uFFFD",
            (>= 0x200E and <= 0x200F) or (>= 0x202A and <= 0x202E) or (>= 0x2066 and <= 0x2069) or (>= 0xFDD0 and <= 0xFDEF) => "\uFFFD",
            _ when (code & 0xFFFE) == 0xFFFE => "\uFFFD",
            _ => char.ConvertFromUtf32(code),
        };
    });

    [GeneratedRegex("&#x[0-9A-Fa-f]{1,6};")]
    private static partial Regex Reference();
}
