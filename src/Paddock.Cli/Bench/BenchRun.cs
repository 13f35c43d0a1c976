using System.Diagnostics;
using System.Globalization;
using Paddock.Engine.Sampling;
using Paddock.Studies;

namespace Paddock.Cli.Bench;

/// <summary>Goes through a plan and puts the results in relation to what the machine can do at most.</summary>
/// <param name="only">Which of peak, gemm, train and decode to measure.</param>
/// <param name="report">Receives one line for each measurement as it is made, and every refusal.</param>
internal sealed class BenchRun(BenchPlan plan, IReadOnlySet<string> only, Meter meter, Action<string> report, CancellationToken stop)
{
    public static readonly string[] Kinds = ["peak", "gemm", "train", "decode"];

    /// <summary>Kernels that were not timed because they failed their scalar twin.</summary>
    public int Refused { get; private set; }

    public BenchDocument Measure()
    {
        foreach (int threads in meter.Threads)
        {
            meter.ProbePeak(threads);
            meter.ProbeBandwidth(threads);
            report(Invariant($"peak, {threads} threads: {meter.Peak(threads) / 1e9:0} GFLOP/s, {meter.Bandwidth(threads) / 1e9:0.0} GB/s"));
        }
        meter.EndProbes();
        List<(GemmCase Case, int Threads, double Rate)> gemm = [];
        List<(TrainCase Case, int Threads, TrainResult Result)> train = [];
        List<(DecodeCase Case, string Format, int Batch, int Threads, double Rate, DecodeWork Work)> decode = [];
        if (only.Contains("gemm"))
            foreach (GemmCase shape in plan.Gemm)
                foreach (int threads in meter.Threads)
                    Try(() => gemm.Add((shape, threads, Measurements.Gemm(meter, shape, threads))), $"gemm {shape.Name}, {threads} threads");
        if (only.Contains("train"))
            foreach (TrainCase one in plan.Train)
                foreach (int threads in meter.Threads)
                    Try(() => train.Add((one, threads, Measurements.Train(meter, one, threads))), $"train {one.Name}, {threads} threads");
        if (only.Contains("decode"))
            foreach (DecodeCase one in plan.Decode)
                foreach (string format in one.Formats)
                    MeasureDecode(one, format, decode);
        foreach (int threads in meter.Threads)
        {
            meter.ProbePeak(threads);
            if (only.Contains("decode") || only.Contains("peak"))
                meter.ProbeBandwidth(threads);
        }
        meter.EndProbes();
        using Process self = Process.GetCurrentProcess();
        return new BenchDocument(
            MachineInfo.Describe(meter.Threads.Max()),
            meter.Threads.ToDictionary(threads => threads.ToString(CultureInfo.InvariantCulture), threads => Round(meter.Peak(threads) / 1e9)),
            Round(meter.Bandwidth(meter.Threads.Max()) / 1e9),
            [.. gemm.Select(r => new GemmRow(r.Case.Name, r.Threads, Round(r.Rate / 1e9), Share(r.Rate / meter.Peak(r.Threads))))],
            [.. train.Select(r => new TrainRow(r.Case.Name, r.Threads, Round(r.Result.TokensPerSecond), Share(r.Result.TokensPerSecond * r.Result.FlopsPerToken / meter.Peak(r.Threads)),
                Round(r.Result.BytesPerStep), r.Result.BytesThroughSeam))],
            [.. decode.Select(r => new DecodeRow(r.Case.Name, r.Format, r.Batch, r.Threads, Round(r.Rate), Share(r.Rate / r.Work.Roofline(meter, r.Batch, r.Threads))))],
            self.PeakWorkingSet64);
    }

    private void MeasureDecode(DecodeCase one, string format, List<(DecodeCase, string, int, int, double, DecodeWork)> results)
    {
        using SamplerWeights weights = RandomModel.Pack(one.Config, format);
        foreach (int batch in one.Batches)
            foreach (int threads in meter.Threads)
                Try(() =>
                {
                    double rate = Measurements.Decode(meter, weights, batch, threads);
                    meter.ProbeBandwidth(threads);
                    meter.ProbePeak(threads);
                    results.Add((one, format, batch, threads, rate, Measurements.Work(weights)));
                }, $"decode {one.Name} {format} x {batch}, {threads} threads");
    }

    private void Try(Action measure, string what)
    {
        stop.ThrowIfCancellationRequested();
        try
        {
            report(what);
            measure();
        }
        catch (TwinMismatchException mismatch)
        {
            Refused++;
            report($"{what}: {mismatch.Message}");
        }
    }

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);

    private static double Round(double value) => Math.Round(value, 1);

    private static double Share(double value) => Math.Round(value, 3);
}
