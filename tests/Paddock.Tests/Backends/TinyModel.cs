using Paddock.Backends;
using Paddock.Backends.Embedded;
using Paddock.Engine.Threading;

namespace Paddock.Tests.Backends;

/// <summary>A random model of a few thousand parameters in a folder of its own, and backends over it.</summary>
internal sealed class TinyModel : IDisposable
{
    public const int Vocabulary = 24, End = 1;

    // flushing to a real disk hundreds of times takes long
    private const string MemoryDisk = "/dev/shm";

    private static int _models;

    private readonly WorkerPool _pool;

    public TinyModel(int threads = 1, int hidden = 16)
    {
        Root = Path.Combine(Directory.Exists(MemoryDisk) ? MemoryDisk : Path.GetTempPath(), $"paddock-tiny-{Environment.ProcessId}-{Interlocked.Increment(ref _models)}");
        Directory.CreateDirectory(Root);
        string[] words = ["<pad>", "<end>", .. Enumerable.Range(2, Vocabulary - 2).Select(i => $"w{i}")];
        NewModel.Write(Weights, new NewModelSettings(HiddenSize: hidden, Layers: 2, Heads: 2, FeedForward: 24, MaxPositions: 48), words, ["<pad>", "<end>"], "<end>", "<pad>",
            "{% for message in messages %}{{ message['content'] }}{% endfor %}", seed: 5);
        _pool = new WorkerPool(threads);
    }

    public static Adaptation Lora { get; } = new Adaptation.Lora(4, 8, []);

    public string Root { get; }

    public string Weights => Path.Combine(Root, "base");

    public ModelSpec Spec(Head head = Head.Token, Adaptation? adaptation = null, ulong seed = 3) => new(Weights, adaptation ?? new Adaptation.Full(), head, seed, NewHead: head == Head.Scalar);

    /// <summary>A backend whose checkpoints lie below <see cref="Root"/>.</summary>
    public EmbeddedBackend Open(string folder = "checkpoints", Action<long, double>? countWork = null) =>
        new(Path.Combine(Root, folder), new ModelLibrary([]), _pool, countWork);

    public void Dispose()
    {
        _pool.Dispose();
        Directory.Delete(Root, recursive: true);
    }
}
