using Paddock.Backends;
using Paddock.Backends.Embedded;

namespace Paddock.Tests.Backends;

/// <summary>What a training step through the seam leaves to the garbage collector: its outputs, one float a position, and little else.</summary>
public sealed class SeamAllocationTests
{
    private const int Sequences = 32, Length = 64;
    private const long Most = 64 << 10;

    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public void A_step_allocates_little_whatever_the_size_of_the_model()
    {
        long small = BytesPerStep(hidden: 16), large = BytesPerStep(hidden: 96);
        Assert.InRange(small, Sequences * Length * sizeof(float), Most);
        Assert.Equal(small, large);
    }

    // the embedded backend works on the calling thread and on pool threads, which allocate nothing (tested in the engine)
    private static long BytesPerStep(int hidden)
    {
        using TinyModel tiny = new(threads: 2, hidden);
        EmbeddedBackend backend = tiny.Open();
        ITrainableModel model = Done(backend.CreateAsync(tiny.Spec(), None));
        int[] ids = [.. Enumerable.Range(0, Length).Select(i => i % TinyModel.Vocabulary)];
        Sequence[] batch = [.. Enumerable.Repeat(new Sequence(ids, ids), Sequences)];
        ReadOnlyMemory<float>[] coefficients = [.. Enumerable.Repeat(new ReadOnlyMemory<float>([.. Enumerable.Repeat(-1f, Length)]), Sequences)];
        long least = long.MaxValue;
        // the first steps make room for activations and moments; later a compiled method may replace itself and allocate once
        for (int i = 0; i < 8; i++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            PassResult result = Done(model.ForwardAsync(batch, None));
            Assert.True(model.BackwardAsync(batch, coefficients, None).IsCompletedSuccessfully);
            Done(model.StepAsync(new AdamStep(1e-4), None));
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
            Assert.Equal(Sequences, result.Outputs.Count);
        }
        Done(model.DisposeAsync());
        return least;
    }

    // what did not end on this thread would not be counted
    private static T Done<T>(Task<T> task)
    {
        Assert.True(task.IsCompletedSuccessfully);
        return task.GetAwaiter().GetResult();
    }

    private static void Done(ValueTask task) => Assert.True(task.IsCompletedSuccessfully);
}
