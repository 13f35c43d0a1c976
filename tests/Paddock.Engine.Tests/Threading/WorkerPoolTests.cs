using Paddock.Engine.Threading;

namespace Paddock.Engine.Tests.Threading;

public unsafe class WorkerPoolTests
{
    private struct Counts
    {
        public int* PerTile;
        public int* PerWorker;
    }

    private static void Count(void* context, int tile, int worker)
    {
        Counts* counts = (Counts*)context;
        counts->PerTile[tile]++;
        Interlocked.Increment(ref counts->PerWorker[worker]);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void Every_tile_runs_exactly_once_in_every_run(int threads)
    {
        using WorkerPool pool = new(threads);
        int* tiles = stackalloc int[300], workers = stackalloc int[8];
        Counts counts = new() { PerTile = tiles, PerWorker = workers };
        int[] expected = new int[300];
        int total = 0;
        for (int run = 0; run < 3000; run++)
        {
            int n = run % 7 == 0 ? 300 : run % 4;
            pool.Run(n, &Count, &counts);
            total += n;
            for (int i = 0; i < n; i++)
                expected[i]++;
        }
        Assert.Equal(expected, new ReadOnlySpan<int>(tiles, 300).ToArray());
        int seen = 0;
        for (int i = 0; i < 8; i++)
            seen += workers[i];
        Assert.Equal(total, seen);
        for (int i = threads; i < 8; i++)
            Assert.Equal(0, workers[i]);
    }

    [Fact]
    public void Workers_that_have_parked_wake_up_again()
    {
        using WorkerPool pool = new(3);
        int* tiles = stackalloc int[64], workers = stackalloc int[8];
        Counts counts = new() { PerTile = tiles, PerWorker = workers };
        for (int run = 0; run < 20; run++)
        {
            Thread.Sleep(5);
            pool.Run(64, &Count, &counts);
        }
        for (int i = 0; i < 64; i++)
            Assert.Equal(20, tiles[i]);
    }

    [Fact]
    public void A_run_allocates_nothing()
    {
        using WorkerPool pool = new(2);
        int* tiles = stackalloc int[16], workers = stackalloc int[8];
        Counts counts = new() { PerTile = tiles, PerWorker = workers };
        pool.Run(16, &Count, &counts);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int run = 0; run < 100; run++)
            pool.Run(16, &Count, &counts);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static void RunInside(void* context, int tile, int worker)
    {
        WorkerPool pool = System.Runtime.CompilerServices.Unsafe.AsRef<WorkerPool>(context);
        try
        {
            pool.Run(1, &RunInside, context);
        }
        catch (InvalidOperationException)
        {
            _refused++;
        }
    }

    private static int _refused;

    [Fact]
    public void A_run_inside_a_run_is_refused()
    {
        using WorkerPool pool = new(1);
        WorkerPool copy = pool;
        pool.Run(1, &RunInside, System.Runtime.CompilerServices.Unsafe.AsPointer(ref copy));
        Assert.Equal(1, _refused);
    }

    [Fact]
    public void Disposing_twice_and_disposing_an_unused_pool_are_fine()
    {
        WorkerPool pool = new(4);
        pool.Dispose();
        pool.Dispose();
    }

    [Fact]
    public void Scratch_is_aligned_grows_and_keeps_slots_apart()
    {
        using WorkerPool pool = new(2);
        float* kernel = pool.SharedScratch(10), panels = pool.SharedScratch(10, SharedSlot.Panels), own = pool.Scratch(1, 10);
        kernel[0] = 1;
        panels[0] = 2;
        own[0] = 3;
        Assert.True(kernel == pool.SharedScratch(5));
        Assert.Equal(1, kernel[0]);
        Assert.Equal(2, panels[0]);
        float* larger = pool.SharedScratch(100_000);
        larger[99_999] = 1;
        Assert.Equal(0ul, (ulong)larger % 64);
        Assert.Equal(0ul, (ulong)own % 64);
    }
}
