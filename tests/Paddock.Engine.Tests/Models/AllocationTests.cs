using Paddock.Engine.Models;
using Paddock.Engine.Threading;
using Paddock.Engine.Training;

namespace Paddock.Engine.Tests.Models;

/// <summary>Runs alone: it measures what the whole process allocates.</summary>
[CollectionDefinition("Allocations", DisableParallelization = true)]
[Collection("Allocations")]
public sealed class AllocationTests
{
    [Theory]
    [InlineData(false, TrainableTransformer.DefaultActivationBudget)]
    [InlineData(true, TrainableTransformer.DefaultActivationBudget)]
    [InlineData(false, 0)]
    public void A_training_step_allocates_nothing(bool adapted, long budget)
    {
        using WorkerPool pool = new(2);
        using TrainableTransformer model = TinyModels.Make("llama", pool, lora: adapted ? TinyModels.Lora : null);
        model.ActivationBudget = budget;
        RaggedBatch large = TinyModels.Batch(model.Config, 30, 70, 20), small = TinyModels.Batch(model.Config, 30, 50);
        float[] coefficients = TinyModels.Coefficients(large), outputs = new float[large.TokenCount], entropies = new float[large.TokenCount], hits = new float[large.TokenCount];
        for (int i = 0; i < 3; i++)
            Step();
        (long, long) reserved = model.Reserved;
        // The test host's own threads allocate now and then. The step itself does the same every time, so if it allocated on any thread,
        // no step would ever be free of it.
        long least = long.MaxValue, most = 0;
        for (int i = 0; i < 200 && least > 0; i++)
        {
            long process = GC.GetTotalAllocatedBytes(precise: true), own = GC.GetAllocatedBytesForCurrentThread();
            Step();
            most = Math.Max(most, GC.GetAllocatedBytesForCurrentThread() - own);
            least = Math.Min(least, GC.GetTotalAllocatedBytes(precise: true) - process);
        }
        Assert.Equal(0, most);
        Assert.Equal(0, least);
        Assert.Equal(reserved, model.Reserved);

        void Step()
        {
            foreach (RaggedBatch batch in (ReadOnlySpan<RaggedBatch>)[large, small])
            {
                int n = batch.TokenCount;
                model.Forward(batch, outputs.AsSpan(0, n));
                model.Backward(batch, coefficients.AsSpan(0, n));
                model.ForwardDistribution(batch, outputs.AsSpan(0, n), entropies.AsSpan(0, n), hits.AsSpan(0, n));
                model.Backward(batch, coefficients.AsSpan(0, n), coefficients.AsSpan(0, n));
                model.Step(new AdamSettings(1e-3));
            }
        }
    }
}
