using Paddock.Engine.Kernels;
using Paddock.Engine.Memory;
using Paddock.Engine.Threading;

namespace Paddock.Cli.Bench;

/// <summary>
/// The clock of the bench, and the bounds that its results are compared with. The bounds are probed again beside every measurement and
/// the best ever seen counts, so that a share is never flattered by a moment in which something else slowed the probe down.
/// </summary>
internal sealed unsafe class Meter : IDisposable
{
    private const int Probes = 8;
    private const long FmaRounds = 200_000;

    private readonly TimeProvider _time;
    private readonly BenchPlan _plan;
    private readonly SortedDictionary<int, Bounds> _bounds = [];
    private NativeBuffer? _stream;

    /// <param name="threads">Numbers of threads that will be asked for.</param>
    public Meter(TimeProvider time, BenchPlan plan, IReadOnlyList<int> threads)
    {
        (_time, _plan) = (time, plan);
        foreach (int count in threads)
            _bounds[count] = new Bounds(new WorkerPool(count));
        foreach (int count in _bounds.Keys)
            // the loop is compiled again, better, once it has been seen to matter
            Repeat(Math.Min(0.3, plan.Seconds), () => PeakProbe.FmaLoop(Pool(count), FmaRounds / 20));
    }

    public IReadOnlyCollection<int> Threads => _bounds.Keys;

    public WorkerPool Pool(int threads) => _bounds[threads].Pool;

    /// <summary>Best flop/s of multiply-adds in registers so far.</summary>
    public double Peak(int threads) => _bounds[threads].Peak;

    /// <summary>Best bytes/s of reading memory in order so far.</summary>
    public double Bandwidth(int threads) => _bounds[threads].Bandwidth;

    /// <summary>Least time spent on one measurement.</summary>
    public double LeastSeconds => _plan.Seconds;

    public double Seconds(long since) => _time.GetElapsedTime(since).TotalSeconds;

    public long Now => _time.GetTimestamp();

    public void ProbePeak(int threads)
    {
        Bounds bounds = _bounds[threads];
        for (int i = 0; i < Probes; i++)
        {
            long begun = Now, flops = PeakProbe.FmaLoop(bounds.Pool, FmaRounds);
            bounds.Peak = Math.Max(bounds.Peak, flops / Seconds(begun));
        }
    }

    public void ProbeBandwidth(int threads)
    {
        Bounds bounds = _bounds[threads];
        _stream ??= Filled(_plan.StreamFloats);
        for (int i = 0; i < Probes; i++)
        {
            long begun = Now, bytes = PeakProbe.Stream(bounds.Pool, _stream.Pointer, _stream.Length);
            bounds.Bandwidth = Math.Max(bounds.Bandwidth, bytes / Seconds(begun));
        }
    }

    /// <summary>Gives the array of the bandwidth probe back.</summary>
    public void EndProbes()
    {
        _stream?.Dispose();
        _stream = null;
    }

    /// <summary>Seconds of the fastest of many runs, after as many to warm up; the peak is probed before, between and after.</summary>
    public double Best(int threads, Action run)
    {
        double best = double.PositiveInfinity;
        ProbePeak(threads);
        Repeat(_plan.Seconds, run);
        for (int part = 0; part < 2; part++)
        {
            Repeat(_plan.Seconds / 2, () =>
            {
                long begun = Now;
                run();
                best = Math.Min(best, Seconds(begun));
            });
            ProbePeak(threads);
        }
        return best;
    }

    public void Dispose()
    {
        EndProbes();
        foreach (Bounds bounds in _bounds.Values)
            bounds.Pool.Dispose();
    }

    private void Repeat(double seconds, Action run)
    {
        long begun = Now;
        do
            run();
        while (Seconds(begun) < seconds);
    }

    private static NativeBuffer Filled(long floats)
    {
        // pages that were never written are all the same one
        NativeBuffer buffer = new(floats);
        for (long i = 0; i < floats; i += 16)
            buffer.Pointer[i] = 1;
        return buffer;
    }

    private sealed class Bounds(WorkerPool pool)
    {
        public WorkerPool Pool => pool;

        public double Peak { get; set; }

        public double Bandwidth { get; set; }
    }
}
