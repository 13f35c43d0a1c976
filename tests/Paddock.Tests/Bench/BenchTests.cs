using System.Text.Json;
using Paddock.Cli.Bench;
using Paddock.Cli.Verbs;
using Paddock.Engine;
using Paddock.Engine.Memory;
using Paddock.Engine.Models;
using Paddock.Engine.Sampling;

namespace Paddock.Tests.Bench;

/// <summary>The bench measures what it says and its document keeps its shape; no number of seconds is asserted.</summary>
public class BenchTests
{
    private static readonly ModelConfig Small = BenchPlan.Llama(64, 2, 2, 1, 96, 320);

    private static readonly BenchPlan Plan = new([new("product", 40, 70, 33)], [new("full", Small, 2, 9), new("adapted", Small, 2, 9, new(4, 8, []))],
        [new("decoded", Small, ["fp32", "bf16", "q8_0", "q4_1"], [1, 3])], Seconds: 0.01, StreamFloats: 1 << 18);

    [Fact]
    public void Document_has_the_agreed_members()
    {
        using JsonDocument document = Measure(BenchRun.Kinds.ToHashSet());
        JsonElement root = document.RootElement;
        Assert.Equal(["machine", "peak", "bandwidth", "gemm", "train", "decode", "peakRss"], Names(root));
        Assert.Equal(["1", "2"], Names(root.GetProperty("peak")));
        Assert.Equal(["name", "threads", "gflops", "shareOfPeak"], Names(root.GetProperty("gemm")[0]));
        Assert.Equal(["name", "threads", "tokensPerSecond", "shareOfPeak", "bytesPerStep", "bytesPerStepThroughSeam"], Names(root.GetProperty("train")[0]));
        Assert.Equal(["name", "format", "batch", "threads", "tokensPerSecond", "shareOfRoofline"], Names(root.GetProperty("decode")[0]));
        Assert.Equal(2, root.GetProperty("gemm").GetArrayLength());
        Assert.Equal(4, root.GetProperty("train").GetArrayLength());
        Assert.Equal(16, root.GetProperty("decode").GetArrayLength());
        Assert.True(root.GetProperty("peakRss").GetInt64() > 1 << 20);
        foreach (JsonElement row in root.GetProperty("train").EnumerateArray())
            Assert.True(row.GetProperty("tokensPerSecond").GetDouble() > 0);
    }

    [Fact]
    public void Only_the_asked_parts_are_measured()
    {
        using JsonDocument document = Measure(new HashSet<string> { "gemm" });
        Assert.Equal(2, document.RootElement.GetProperty("gemm").GetArrayLength());
        Assert.Equal(0, document.RootElement.GetProperty("train").GetArrayLength());
        Assert.Equal(0, document.RootElement.GetProperty("decode").GetArrayLength());
    }

    [Fact]
    public void Decoding_is_bounded_by_reading_and_multiplying_every_weight_once()
    {
        // two layers of qkv 128 x 64, out 64 x 64, gate and up 192 x 64, down 64 x 96, and the tied head 320 x 64
        const long Weights = 2 * (128 * 64 + 64 * 64 + 192 * 64 + 64 * 96) + 320 * 64;
        foreach ((string format, double bytes) in new[] { ("fp32", 4.0), ("bf16", 2), ("q8_0", 34 / 32.0), ("q4_1", 20 / 32.0) })
        {
            using SamplerWeights packed = RandomModel.Pack(Small, format);
            Assert.Equal(new DecodeWork((long)(Weights * bytes), 2 * Weights), Measurements.Work(packed));
        }
    }

    [Fact]
    public unsafe void A_product_that_differs_from_its_twin_is_refused()
    {
        GemmCase shape = new("broken", 3, 5, 7);
        using NativeBuffer a = new(3 * 7), b = new(5 * 7), c = new(3 * 5);
        a.Span.Fill(1);
        b.Span.Fill(1);
        c.Span.Fill(7);
        KernelTwins.Product(shape.Name, shape, a.Pointer, b.Pointer, c.Pointer);
        c.Span[^1] = 7.001f;
        TwinMismatchException refused = Assert.Throws<TwinMismatchException>(() => KernelTwins.Product(shape.Name, shape, a.Pointer, b.Pointer, c.Pointer));
        Assert.Contains("broken row 2 differs from its scalar twin", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Unknown_parts_and_numbers_of_threads_are_named()
    {
        Assert.Equal("--only: there is no part 'gem'; parts: peak, gemm, train, decode", Assert.Throws<BadInputException>(() => BenchVerb.ParseKinds("gem,train")).Message);
        foreach (string wrong in new[] { "0", "-1", "two", "1,,2", "99999" })
            Assert.StartsWith("--threads: ", Assert.Throws<BadInputException>(() => BenchVerb.ParseThreads(wrong)).Message, StringComparison.Ordinal);
        Assert.Equal([1, 2], BenchVerb.ParseThreads("2, 1,2"));
    }

    private static JsonDocument Measure(IReadOnlySet<string> only)
    {
        List<string> lines = [];
        using Meter meter = new(TimeProvider.System, Plan, [1, 2]);
        BenchRun run = new(Plan, only, meter, lines.Add, CancellationToken.None);
        BenchDocument document = run.Measure();
        Assert.True(run.Refused == 0, string.Join('\n', lines));
        return JsonDocument.Parse(JsonSerializer.Serialize(document, BenchJson.Default.BenchDocument));
    }

    private static IEnumerable<string> Names(JsonElement element) => element.EnumerateObject().Select(member => member.Name);
}
