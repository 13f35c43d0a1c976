using System.Runtime.InteropServices;

namespace Paddock.Engine.Threading;

/// <summary>
/// The only place that starts compute threads. Work is cut into tiles that do not depend on the number of threads; a tile is
/// computed by exactly one thread, so results are the same bits for any pool size. Idle workers spin for some tens of microseconds
/// and then park. One caller at a time.
/// </summary>
public sealed unsafe class WorkerPool : IDisposable
{
    // one round is about 40 ns: .NET normalises SpinWait across processors
    private const int SpinRounds = 1000;
    private const int ScratchSlots = 4;
    private const int Alignment = 64;

    private readonly Thread[] _workers;
    private readonly SemaphoreSlim _wake = new(0);
    private readonly Area[] _own;
    private readonly Area[] _shared = new Area[ScratchSlots];

    private delegate*<void*, int, int, void> _body;
    private void* _context;
    private int _tiles;
    private int _busy;
    private volatile bool _stopped;
    private Counters _counters;

    /// <param name="threads">Threads that work at once, the caller included; 1 starts none.</param>
    public WorkerPool(int threads)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(threads);
        Threads = threads;
        _own = new Area[threads];
        _workers = new Thread[threads - 1];
        for (int i = 0; i < _workers.Length; i++)
        {
            int worker = i + 1;
            _workers[i] = new Thread(() => Work(worker)) { IsBackground = true, Name = $"paddock-{worker}" };
            _workers[i].Start();
        }
    }

    ~WorkerPool() => FreeScratch();

    public int Threads { get; }

    /// <summary>
    /// Calls <paramref name="body"/>(context, tile, worker) once for every tile in 0 .. tiles - 1 and returns when all are done.
    /// worker in 0 .. Threads - 1 names a scratch area, never a result. Allocates nothing; not re-entrant; a body must not throw.
    /// </summary>
    public void Run(int tiles, delegate*<void*, int, int, void> body, void* context)
    {
        if (tiles <= 0)
            return;
        if (Interlocked.Exchange(ref _busy, 1) != 0)
            throw new InvalidOperationException("the worker pool is already running tiles: it serves one caller at a time");
        if (tiles == 1 || _workers.Length == 0)
        {
            for (int tile = 0; tile < tiles; tile++)
                body(context, tile, 0);
            Volatile.Write(ref _busy, 0);
            return;
        }
        ObjectDisposedException.ThrowIf(_stopped, this);
        _body = body;
        _context = context;
        _tiles = tiles;
        _counters.Done = 0;
        Interlocked.Exchange(ref _counters.Remaining, tiles); // publishes the three fields above
        Wake(tiles - 1);
        Interlocked.Add(ref _counters.Done, Drain(0));
        SpinWait spin = default;
        while (Volatile.Read(ref _counters.Done) != tiles)
            spin.SpinOnce(sleep1Threshold: -1);
        Volatile.Write(ref _busy, 0);
    }

    /// <summary>
    /// At least <paramref name="floats"/> floats that belong to one worker, 64-byte aligned, contents undefined. Grow-only: stays valid
    /// until a larger request for the same worker.
    /// </summary>
    public float* Scratch(int worker, long floats) => _own[worker].Ensure(floats);

    /// <summary>
    /// As <see cref="Scratch"/>, shared by all workers; asked for between two <see cref="Run"/>s. A kernel that calls another one keeps its
    /// data in a different slot (<see cref="SharedSlot"/>).
    /// </summary>
    public float* SharedScratch(long floats, SharedSlot slot = SharedSlot.Kernel) => _shared[(int)slot].Ensure(floats);

    /// <summary>Stops and joins the workers and frees the scratch memory.</summary>
    public void Dispose()
    {
        if (_stopped)
            return;
        _stopped = true;
        if (_workers.Length > 0)
            _wake.Release(_workers.Length);
        foreach (Thread worker in _workers)
            worker.Join();
        _wake.Dispose();
        FreeScratch();
        GC.SuppressFinalize(this);
    }

    private void Work(int worker)
    {
        while (!_stopped)
        {
            int done = Drain(worker);
            if (done > 0)
            {
                Interlocked.Add(ref _counters.Done, done);
                continue;
            }
            if (!SpinForWork())
                Park();
        }
    }

    // A successful exchange both claims a tile and keeps this run from ending, so body, context and tiles read after it are this run's.
    private int Drain(int worker)
    {
        int done = 0;
        int remaining = Volatile.Read(ref _counters.Remaining);
        while (remaining > 0)
        {
            int seen = Interlocked.CompareExchange(ref _counters.Remaining, remaining - 1, remaining);
            if (seen == remaining)
            {
                _body(_context, _tiles - remaining, worker);
                done++;
                seen = Volatile.Read(ref _counters.Remaining);
            }
            remaining = seen;
        }
        return done;
    }

    private bool SpinForWork()
    {
        for (int round = 0; round < SpinRounds; round++)
        {
            if (Volatile.Read(ref _counters.Remaining) > 0 || _stopped)
                return true;
            Thread.SpinWait(1);
        }
        return false;
    }

    private void Park()
    {
        Interlocked.Increment(ref _counters.Parked);
        // work that came between the last look and the increment: take the mark back, unless a permit for it is already on its way
        if (Volatile.Read(ref _counters.Remaining) > 0 && TakeParked(1) == 1)
            return;
        _wake.Wait();
    }

    private void Wake(int wanted)
    {
        if (Volatile.Read(ref _counters.Parked) > 0 && TakeParked(wanted) is > 0 and int count)
            _wake.Release(count);
    }

    private int TakeParked(int wanted)
    {
        int parked = Volatile.Read(ref _counters.Parked);
        while (parked > 0)
        {
            int take = Math.Min(parked, wanted);
            int seen = Interlocked.CompareExchange(ref _counters.Parked, parked - take, parked);
            if (seen == parked)
                return take;
            parked = seen;
        }
        return 0;
    }

    private void FreeScratch()
    {
        for (int i = 0; i < _own.Length; i++)
            _own[i].Free();
        for (int i = 0; i < _shared.Length; i++)
            _shared[i].Free();
    }

    // each counter on its own pair of cache lines
    [StructLayout(LayoutKind.Explicit, Size = 512)]
    private struct Counters
    {
        [FieldOffset(128)] public int Remaining;
        [FieldOffset(256)] public int Done;
        [FieldOffset(384)] public int Parked;
    }

    private struct Area
    {
        private float* _pointer;
        private long _length;

        public float* Ensure(long floats)
        {
            if (floats <= _length)
                return _pointer;
            Free();
            _pointer = (float*)NativeMemory.AlignedAlloc(checked((nuint)floats * sizeof(float)), Alignment);
            _length = floats;
            return _pointer;
        }

        public void Free()
        {
            NativeMemory.AlignedFree(_pointer);
            _pointer = null;
            _length = 0;
        }
    }
}

/// <summary>Who owns a shared scratch area, so that a kernel which calls another does not overwrite its own data.</summary>
public enum SharedSlot
{
    /// <summary>A kernel that calls no other kernel while it holds the area.</summary>
    Kernel,

    /// <summary>Packed panels of the matrix product.</summary>
    Panels,

    /// <summary>A composite kernel that calls the matrix product.</summary>
    Composite,

    /// <summary>Whoever calls kernels.</summary>
    Caller,
}
