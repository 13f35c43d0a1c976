using System.Globalization;
using Paddock.Cli.Terminal;
using Spectre.Console;

namespace Paddock.Cli.Bench;

/// <summary>The results for people.</summary>
internal static class BenchTables
{
    public static void Show(BenchDocument document, IAnsiConsole console)
    {
        console.WriteLine(Text($"{document.Machine.Processor}, {document.Machine.Tier}, {document.Machine.Runtime}"));
        foreach ((string threads, double peak) in document.Peak)
            console.WriteLine(Text($"peak, {threads} threads: {peak:0} GFLOP/s"));
        console.WriteLine(Text($"read bandwidth: {document.Bandwidth:0.0} GB/s; most memory: {document.PeakRss / (double)(1 << 20):0} MB"));
        if (document.Gemm.Count > 0)
        {
            Table table = Screen.Table("product", Column.Number("threads"), Column.Number("GFLOP/s"), Column.Number("of peak"));
            foreach (GemmRow row in document.Gemm)
                table.AddRow(row.Name, $"{row.Threads}", Text($"{row.Gflops:0}"), Text($"{row.ShareOfPeak:0 %}"));
            console.Write(table);
        }
        if (document.Train.Count > 0)
        {
            Table table = Screen.Table("training", Column.Number("threads"), Column.Number("tokens/s"), Column.Number("of peak"), Column.Number("bytes/step"), Column.Number("through the seam"));
            foreach (TrainRow row in document.Train)
                table.AddRow(row.Name, $"{row.Threads}", Text($"{row.TokensPerSecond:0}"), Text($"{row.ShareOfPeak:0 %}"), Text($"{row.BytesPerStep:0}"), Text($"{row.BytesPerStepThroughSeam:0}"));
            console.Write(table);
        }
        if (document.Decode.Count == 0)
            return;
        Table decode = Screen.Table("decoding", "weights", Column.Number("batch"), Column.Number("threads"), Column.Number("tokens/s"), Column.Number("of roofline"));
        foreach (DecodeRow row in document.Decode)
            decode.AddRow(row.Name, row.Format, $"{row.Batch}", $"{row.Threads}", Text($"{row.TokensPerSecond:0.0}"), Text($"{row.ShareOfRoofline:0 %}"));
        console.Write(decode);
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
