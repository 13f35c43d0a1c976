using Paddock.Engine.Threading;

namespace Paddock.Engine.Kernels;

/// <summary>The arguments of a kernel and the work of one tile of it, written once for all register widths.</summary>
internal interface ITileJob
{
    void Tile<V>(int tile, int worker)
        where V : unmanaged, ILanes<V>;
}

/// <summary>Runs a job's tiles on a pool, at the width of this process's tier.</summary>
internal static unsafe class Tiles
{
    /// <summary>Elements of one tile of an elementwise kernel: some microseconds of work.</summary>
    public const int Elements = 8192;

    public static void Run<TJob>(WorkerPool pool, int tiles, TJob job)
        where TJob : unmanaged, ITileJob
    {
        delegate*<void*, int, int, void> body = Tier.Current switch
        {
            TierKind.Vector512 => &Body<TJob, Lanes512>,
            TierKind.Vector256 => &Body<TJob, Lanes256>,
            TierKind.Vector128 => &Body<TJob, Lanes128>,
            _ => &Body<TJob, Lanes1>,
        };
        pool.Run(tiles, body, &job);
    }

    /// <summary>Rows of one tile when a row has the given number of elements.</summary>
    public static int RowsPerTile(int width) => Math.Max(1, Elements / Math.Max(width, 1));

    /// <summary>Number of parts of the given size that cover a count.</summary>
    public static int Over(long count, long size) => checked((int)((count + size - 1) / size));

    private static void Body<TJob, V>(void* context, int tile, int worker)
        where TJob : unmanaged, ITileJob
        where V : unmanaged, ILanes<V> => ((TJob*)context)->Tile<V>(tile, worker);
}
