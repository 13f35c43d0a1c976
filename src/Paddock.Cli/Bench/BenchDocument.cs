using System.Text.Json.Serialization;
using Paddock.Studies;

namespace Paddock.Cli.Bench;

/// <summary>What the bench found. Rates are the best of many short runs.</summary>
/// <param name="Peak">GFLOP/s of multiply-adds in registers, by number of threads.</param>
/// <param name="Bandwidth">GB/s of reading memory in order, with the most threads measured.</param>
/// <param name="PeakRss">Most resident memory of the process, in bytes.</param>
internal sealed record BenchDocument(
    MachineInfo Machine,
    IReadOnlyDictionary<string, double> Peak,
    double Bandwidth,
    IReadOnlyList<GemmRow> Gemm,
    IReadOnlyList<TrainRow> Train,
    IReadOnlyList<DecodeRow> Decode,
    long PeakRss);

/// <param name="ShareOfPeak">Of the peak with as many threads.</param>
internal sealed record GemmRow(string Name, int Threads, double Gflops, double ShareOfPeak);

/// <param name="ShareOfPeak">Operations that a step really needs, over what the peak could do in its time.</param>
/// <param name="BytesPerStep">Managed memory allocated by a step of the engine.</param>
/// <param name="BytesPerStepThroughSeam">By a step through the training seam, which hands its outputs to a method.</param>
internal sealed record TrainRow(string Name, int Threads, double TokensPerSecond, double ShareOfPeak, double BytesPerStep, double BytesPerStepThroughSeam);

/// <param name="Format">How the weights are held: fp32, bf16, q8_0 or q4_1.</param>
/// <param name="ShareOfRoofline">Of the lesser of two bounds: reading all weights once for every step, and the multiply-adds of every token.</param>
internal sealed record DecodeRow(string Name, string Format, int Batch, int Threads, double TokensPerSecond, double ShareOfRoofline);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(BenchDocument))]
internal sealed partial class BenchJson : JsonSerializerContext;
