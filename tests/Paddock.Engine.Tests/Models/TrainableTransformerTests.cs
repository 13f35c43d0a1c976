using Paddock.Engine.Models;
using Paddock.Engine.Threading;
using Paddock.Engine.Training;

namespace Paddock.Engine.Tests.Models;

/// <summary>What must hold bit for bit whatever the batch, the threads and the memory.</summary>
public sealed class TrainableTransformerTests
{
    private static readonly AdamSettings Adam = new(1e-2, WeightDecay: 0.1);

    [Theory]
    [InlineData("llama", HeadKind.Token)]
    [InlineData("llama", HeadKind.Scalar)]
    [InlineData("gpt2", HeadKind.Token)]
    public void A_sequence_has_the_same_bits_alone_as_in_a_batch(string family, HeadKind head)
    {
        using WorkerPool pool = new(2);
        using TrainableTransformer model = TinyModels.Make(family, pool, head, TinyModels.Lora);
        RaggedBatch batch = TinyModels.Batch(model.Config, 5, 1, 33, 17);
        float[] together = TinyModels.Outputs(model, batch);
        for (int s = 0; s < batch.SequenceCount; s++)
        {
            Range rows = batch.Offsets[s]..batch.Offsets[s + 1];
            RaggedBatch alone = new();
            alone.Add(batch.Tokens[rows], batch.Targets[rows]);
            Assert.Equal(together[rows], TinyModels.Outputs(model, alone));
        }
    }

    [Fact]
    public void Outputs_do_not_depend_on_which_positions_are_wanted()
    {
        using WorkerPool pool = new(1);
        using TrainableTransformer model = TinyModels.Make("llama", pool);
        RaggedBatch some = TinyModels.Batch(model.Config, 20, 9), all = new();
        int[] targets = some.Targets.ToArray();
        for (int s = 0; s < some.SequenceCount; s++)
            all.Add(some.Tokens[some.Offsets[s]..some.Offsets[s + 1]], [.. targets[some.Offsets[s]..some.Offsets[s + 1]].Select(t => Math.Max(t, 0))]);
        float[] few = TinyModels.Outputs(model, some), every = TinyModels.Outputs(model, all);
        for (int i = 0; i < few.Length; i++)
            Assert.Equal(targets[i] == RaggedBatch.NoTarget ? 0 : every[i], few[i]);
        Assert.Contains(RaggedBatch.NoTarget, targets);
    }

    [Theory]
    [InlineData("llama", false)]
    [InlineData("llama", true)]
    [InlineData("gpt2", false)]
    public void Training_has_the_same_bits_for_any_number_of_threads(string family, bool adapted)
    {
        float[] one = Train(1), two = Train(2), three = Train(3);
        Assert.Equal(one, two);
        Assert.Equal(one, three);

        float[] Train(int threads)
        {
            using WorkerPool pool = new(threads);
            using TrainableTransformer model = TinyModels.Make(family, pool, lora: adapted ? TinyModels.Lora : null);
            RaggedBatch batch = TinyModels.Batch(model.Config, 30, 3, 21, 40);
            return Steps(model, batch, 3);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Recomputed_activations_give_the_same_bits_as_kept_ones(bool adapted)
    {
        using WorkerPool pool = new(2);
        using TrainableTransformer kept = TinyModels.Make("llama", pool, lora: adapted ? TinyModels.Lora : null);
        using TrainableTransformer recomputed = TinyModels.Make("llama", pool, lora: adapted ? TinyModels.Lora : null);
        recomputed.ActivationBudget = 0;
        // three chunks, one of them a sequence longer than a chunk
        RaggedBatch batch = TinyModels.Batch(kept.Config, 600, 300, 1300, 200, 50);
        Assert.Equal(Steps(kept, batch, 3), Steps(recomputed, batch, 3));
        Assert.True(kept.Reserved.Activations > 1.5 * recomputed.Reserved.Activations);
    }

    [Fact]
    public void Another_backward_on_the_same_forward_has_the_bits_of_the_first()
    {
        using WorkerPool pool = new(2);
        using TrainableTransformer model = TinyModels.Make("llama", pool);
        RaggedBatch batch = TinyModels.Batch(model.Config, 600, 700, 20);
        float[] coefficients = TinyModels.Coefficients(batch), outputs = new float[batch.TokenCount];
        model.Backward(batch, coefficients);
        float[] recomputed = Gradients(model);
        model.Forward(batch, outputs);
        // the first takes the logits of the forward pass, the second finds them used up
        for (int i = 0; i < 2; i++)
        {
            model.ZeroGradients();
            model.Backward(batch, coefficients);
            Assert.Equal(recomputed, Gradients(model));
        }
    }

    [Fact]
    public void Accumulated_halves_equal_the_whole_batch()
    {
        using WorkerPool pool = new(1);
        using TrainableTransformer model = TinyModels.Make("llama", pool);
        RaggedBatch whole = TinyModels.Batch(model.Config, 14, 9, 30, 6), first = new(), second = new();
        for (int s = 0; s < 4; s++)
            (s < 2 ? first : second).Add(whole.Tokens[whole.Offsets[s]..whole.Offsets[s + 1]], whole.Targets[whole.Offsets[s]..whole.Offsets[s + 1]]);
        float[] coefficients = TinyModels.Coefficients(whole);
        model.Backward(whole, coefficients);
        float[] expected = Gradients(model);
        float[] halves = Halves(), again = Halves();
        Assert.Equal(halves, again);
        double scale = expected.Max(Math.Abs);
        for (int i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], halves[i], 1e-5 * scale);

        float[] Halves()
        {
            model.ZeroGradients();
            model.Backward(first, coefficients.AsSpan(0, first.TokenCount));
            model.Backward(second, coefficients.AsSpan(first.TokenCount));
            return Gradients(model);
        }
    }

    [Fact]
    public void Backward_on_another_batch_than_the_last_forward_starts_afresh()
    {
        using WorkerPool pool = new(1);
        using TrainableTransformer model = TinyModels.Make("gpt2", pool);
        RaggedBatch batch = TinyModels.Batch(model.Config, 12, 8), other = TinyModels.Batch(model.Config, 12, 9);
        float[] coefficients = TinyModels.Coefficients(batch);
        model.Backward(batch, coefficients);
        float[] expected = Gradients(model);

        model.ZeroGradients();
        TinyModels.Outputs(model, other);
        model.Backward(batch, coefficients);
        Assert.Equal(expected, Gradients(model));

        // reused activations, twice: they are not used up
        model.ZeroGradients();
        TinyModels.Outputs(model, batch);
        model.Backward(batch, coefficients);
        Assert.Equal(expected, Gradients(model));
        model.ZeroGradients();
        model.Backward(batch, coefficients);
        Assert.Equal(expected, Gradients(model));

        // the same lengths and tokens, another target
        RaggedBatch changed = new();
        changed.Add(batch.Tokens[..12], batch.Targets[..12]);
        int[] targets = batch.Targets[12..].ToArray();
        int wanted = Array.FindIndex(targets, t => t != RaggedBatch.NoTarget);
        targets[wanted] = (targets[wanted] + 1) % model.Config.VocabularySize;
        changed.Add(batch.Tokens[12..], targets);
        model.ZeroGradients();
        model.Backward(changed, coefficients);
        Assert.NotEqual(expected, Gradients(model));
    }

    [Fact]
    public void A_step_invalidates_kept_activations()
    {
        using WorkerPool pool = new(1);
        using TrainableTransformer model = TinyModels.Make("llama", pool), fresh = TinyModels.Make("llama", pool);
        RaggedBatch batch = TinyModels.Batch(model.Config, 10);
        float[] coefficients = TinyModels.Coefficients(batch);
        Steps(model, batch, 2);
        Steps(fresh, batch, 2);
        TinyModels.Outputs(model, batch);
        model.Step(Adam);
        fresh.Step(Adam);
        model.Backward(batch, coefficients);
        fresh.Backward(batch, coefficients);
        Assert.Equal(Gradients(fresh), Gradients(model));
    }

    [Fact]
    public void Distribution_agrees_with_the_logits()
    {
        using WorkerPool pool = new(1);
        using TrainableTransformer model = TinyModels.Make("llama", pool);
        RaggedBatch batch = TinyModels.Batch(model.Config, 10, 4);
        int V = model.Config.VocabularySize;
        float[] logits = new float[batch.TokenCount * V], logProbs = new float[batch.TokenCount], entropies = new float[batch.TokenCount], hits = new float[batch.TokenCount];
        model.Logits(batch, logits);
        int[] targets = batch.Targets.ToArray();
        int best = Array.FindIndex(targets, t => t != RaggedBatch.NoTarget);
        targets[best] = Array.IndexOf(logits[(best * V)..(best * V + V)], logits[(best * V)..(best * V + V)].Max());
        RaggedBatch hit = new();
        hit.Add(batch.Tokens[..10], targets.AsSpan(0, 10));
        hit.Add(batch.Tokens[10..], targets.AsSpan(10));
        model.ForwardDistribution(hit, logProbs, entropies, hits);
        Assert.Equal(1, hits[best]);
        for (int i = 0; i < targets.Length; i++)
        {
            double[] row = [.. logits.Skip(i * V).Take(V).Select(z => (double)z)];
            double lse = Math.Log(row.Sum(Math.Exp));
            bool wanted = targets[i] != RaggedBatch.NoTarget;
            Assert.Equal(wanted ? row[targets[i]] - lse : 0, logProbs[i], 1e-5);
            Assert.Equal(wanted ? -row.Sum(z => Math.Exp(z - lse) * (z - lse)) : 0, entropies[i], 1e-5);
            Assert.Equal(wanted && row[targets[i]] == row.Max() ? 1 : 0, hits[i]);
        }
        Assert.Equal(TinyModels.Outputs(model, hit), logProbs);
    }

    [Fact]
    public void A_batch_without_targets_gives_zeros_and_no_gradient()
    {
        using WorkerPool pool = new(1);
        using TrainableTransformer model = TinyModels.Make("llama", pool);
        RaggedBatch batch = new();
        batch.Add([1, 2, 3], [RaggedBatch.NoTarget, RaggedBatch.NoTarget, RaggedBatch.NoTarget]);
        Assert.Equal(new float[3], TinyModels.Outputs(model, batch));
        model.Backward(batch, [1, 1, 1]);
        Assert.All(Gradients(model), g => Assert.Equal(0, g));
        model.Forward(new RaggedBatch(), []);
    }

    [Fact]
    public void Bad_batches_are_refused()
    {
        using WorkerPool pool = new(1);
        using TrainableTransformer model = TinyModels.Make("gpt2", pool), scalar = TinyModels.Make("llama", pool, HeadKind.Scalar);
        Assert.Equal("token id 33 is outside the model's vocabulary of 33; use the model's own tokenizer", Refusal([33], [1]));
        Assert.Equal("token id -1 is outside the model's vocabulary of 33; use the model's own tokenizer", Refusal([-1], [1]));
        Assert.Equal("target id 40 is outside the model's vocabulary of 33; use the model's own tokenizer", Refusal([3], [40]));
        Assert.Equal("a sequence of 41 tokens is longer than the model's 40 positions; shorten it", Refusal(new int[41], new int[41]));
        RaggedBatch batch = TinyModels.Batch(model.Config, 4);
        Assert.Throws<ArgumentException>(() => model.Forward(batch, new float[3]));
        Assert.Throws<ArgumentException>(() => model.Backward(batch, new float[5]));
        Assert.Throws<ArgumentException>(() => model.Backward(batch, new float[4], new float[3]));
        Assert.Throws<InvalidOperationException>(() => scalar.ForwardDistribution(batch, new float[4], new float[4], new float[4]));

        string Refusal(int[] tokens, int[] targets)
        {
            RaggedBatch bad = new();
            bad.Add(tokens, targets);
            Assert.Throws<BadInputException>(() => model.Backward(bad, new float[tokens.Length]));
            return Assert.Throws<BadInputException>(() => model.Forward(bad, new float[tokens.Length])).Message;
        }
    }

    [Fact]
    public void A_model_that_is_only_read_keeps_no_activations()
    {
        using WorkerPool pool = new(1);
        using TrainableTransformer model = TinyModels.Make(TinyConfigs.Llama() with { LayerCount = 8 }, pool);
        RaggedBatch batch = TinyModels.Batch(model.Config, 40, 40);
        TinyModels.Outputs(model, batch);
        long read = model.Reserved.Activations;
        Assert.Equal(0, model.Reserved.Scratch);
        model.Backward(batch, TinyModels.Coefficients(batch));
        Assert.True(model.Reserved.Activations > 4 * read);
    }

    [Fact]
    public void Operations_are_counted_by_hand()
    {
        using WorkerPool pool = new(1);
        using TrainableTransformer full = TinyModels.Make("llama", pool), adapted = TinyModels.Make("llama", pool, lora: new(1, 1, ["o"]));
        RaggedBatch batch = new();
        batch.Add([1, 2, 3], [RaggedBatch.NoTarget, 4, 5]);
        const long qkv = 48 * 20, o = 20 * 24, gateUp = 56 * 20, down = 20 * 28, head = 37 * 20, attention = 4 * 24 * 6 * 2;
        const long forward = 2 * (3 * 2 * qkv + (3 + 2) * (o + gateUp + down) + 2 * head) + attention;
        Assert.Equal(forward, full.ForwardFlops(batch));
        Assert.Equal(2 * forward, full.BackwardFlops(batch));
        const long lora = 2 * (3 + 2) * (24 + 20);
        Assert.Equal(forward + lora, adapted.ForwardFlops(batch));
        Assert.Equal(forward + attention - 2 * 3 * qkv + 2 * lora, adapted.BackwardFlops(batch));
    }

    private static float[] Steps(TrainableTransformer model, RaggedBatch batch, int steps)
    {
        List<float> all = [];
        float[] coefficients = TinyModels.Coefficients(batch);
        for (int i = 0; i < steps; i++)
        {
            all.AddRange(TinyModels.Outputs(model, batch));
            model.Backward(batch, coefficients);
            all.AddRange(Gradients(model));
            all.Add((float)model.Step(Adam));
        }
        all.AddRange(model.Trained.Span);
        return [.. all];
    }

    private static float[] Gradients(TrainableTransformer model) => model.Gradients.Span.ToArray();
}
