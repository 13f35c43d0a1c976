using Paddock.Backends;
using Paddock.Backends.Embedded;
using Paddock.Engine.Kernels;
using Paddock.Engine.Memory;
using Paddock.Engine.Models;
using Paddock.Engine.Numerics;
using Paddock.Engine.Sampling;
using Paddock.Engine.Threading;
using Paddock.Engine.Training;

namespace Paddock.Cli.Bench;

/// <summary>The measurements, one method a kind. Each checks the kernels it rests on first.</summary>
internal static unsafe class Measurements
{
    private const int LeastSteps = 2;
    private const int DecodeWindow = 4;

    /// <summary>Flop/s of one product.</summary>
    public static double Gemm(Meter meter, GemmCase shape, int threads)
    {
        WorkerPool pool = meter.Pool(threads);
        using NativeBuffer a = Normal((long)shape.M * shape.K), b = Normal((long)shape.N * shape.K), c = new((long)shape.M * shape.N);
        float* pa = a.Pointer, pb = b.Pointer, pc = c.Pointer;
        MatMul.NT(pool, shape.M, shape.N, shape.K, pa, shape.K, pb, shape.K, pc, shape.N, false);
        KernelTwins.Product(shape.Name, shape, pa, pb, pc);
        double seconds = meter.Best(threads, () => MatMul.NT(pool, shape.M, shape.N, shape.K, pa, shape.K, pb, shape.K, pc, shape.N, false));
        return 2.0 * shape.M * shape.N * shape.K / seconds;
    }

    /// <summary>Whole optimizer steps of the engine; then a few through the seam, of which only the allocation counts.</summary>
    public static TrainResult Train(Meter meter, TrainCase train, int threads)
    {
        WorkerPool pool = meter.Pool(threads);
        KernelTwins.Training(pool);
        using TrainableTransformer model = new(RandomModel.Make(train.Config), train.Lora, 1, pool);
        RaggedBatch batch = Batch(train);
        int n = batch.TokenCount, steps = 0;
        float[] outputs = new float[n], coefficients = new float[n];
        coefficients.AsSpan().Fill(-1f / n);
        double loss = 0, best = double.PositiveInfinity;
        // the first step keeps no activations; compiled code improves for about a second, and a step of a large model takes longer
        Step();
        double once = Time(), warm = once;
        while (warm < 3 * meter.LeastSeconds)
            warm += Time();
        if (once < 2 * meter.LeastSeconds)
            best = double.PositiveInfinity;
        meter.ProbePeak(threads);
        long allocated = GC.GetTotalAllocatedBytes(precise: true), begun = meter.Now;
        for (steps = 0; steps < LeastSteps || meter.Seconds(begun) < 3 * meter.LeastSeconds; steps++)
            Time();
        allocated = GC.GetTotalAllocatedBytes(precise: true) - allocated;
        meter.ProbePeak(threads);
        if (!double.IsFinite(loss))
            throw new TwinMismatchException($"the loss of {train.Name} is not finite: it is not timed");
        return new(n / best, (double)(model.ForwardFlops(batch) + model.BackwardFlops(batch)) / n, (double)allocated / steps, SeamBytes(model, pool, train));

        double Time()
        {
            long start = meter.Now;
            Step();
            double seconds = meter.Seconds(start);
            best = Math.Min(best, seconds);
            return seconds;
        }

        void Step()
        {
            model.Forward(batch, outputs);
            double sum = 0;
            foreach (float output in outputs)
                sum -= output;
            loss = sum / n;
            model.Backward(batch, coefficients);
            model.Step(new AdamSettings(1e-4, WeightDecay: 0.01));
        }
    }

    // the least of a few steps: what the runtime allocates for itself now and then is not the step's
    private static long SeamBytes(TrainableTransformer transformer, WorkerPool pool, TrainCase train)
    {
        ModelSpec spec = new(train.Name, new Adaptation.Full(), Head.Token, 1);
        EmbeddedModel model = new(transformer, spec, new EmbeddedBackend("", new ModelLibrary([]), pool));
        List<Sequence> batch = [];
        List<ReadOnlyMemory<float>> coefficients = [];
        foreach (int[] tokens in Tokens(train))
        {
            batch.Add(new Sequence(tokens.AsMemory(0, train.Length), tokens.AsMemory(1)));
            float[] same = new float[train.Length];
            same.AsSpan().Fill(-1f / (train.Sequences * train.Length));
            coefficients.Add(same);
        }
        long least = long.MaxValue;
        for (int i = 0; i < 1 + LeastSteps; i++)
        {
            long before = GC.GetTotalAllocatedBytes(precise: true);
            model.ForwardAsync(batch, CancellationToken.None).GetAwaiter().GetResult();
            model.BackwardAsync(batch, coefficients, CancellationToken.None).GetAwaiter().GetResult();
            model.StepAsync(new AdamStep(1e-4, WeightDecay: 0.01), CancellationToken.None).GetAwaiter().GetResult();
            least = Math.Min(least, GC.GetTotalAllocatedBytes(precise: true) - before);
        }
        return least;
    }

    /// <summary>Tokens a second of drawing at temperature 1, past the prompt.</summary>
    public static double Decode(Meter meter, SamplerWeights weights, int batch, int threads)
    {
        WorkerPool pool = meter.Pool(threads);
        KernelTwins.Decoding(pool, weights.Matrix(weights.Layout.Layers[0].GateUp), batch);
        using BatchSampler sampler = new(weights, pool, new SamplerSettings(MaxConcurrent: batch, CacheBytes: 256L << 20, MaxRows: 64));
        int[] prompt = [1, 2, 3, 4, 5, 6, 7, 8];
        List<double> ends = [];
        long begun = meter.Now;
        int tokens = batch == 1 ? 48 : 32;
        foreach (FinishedSample _ in sampler.Sample([new PromptRequest(prompt, batch, 1)], new SamplerOptions(tokens), token =>
        {
            if (token.Sample == 0)
                ends.Add(meter.Seconds(begun));
        })) { }
        double best = double.PositiveInfinity;
        for (int i = DecodeWindow; i < ends.Count; i++)
            best = Math.Min(best, ends[i] - ends[i - DecodeWindow]);
        return batch * Math.Min(DecodeWindow, ends.Count - 1) / best;
    }

    /// <summary>What a step and a token of decoding cost at least.</summary>
    public static DecodeWork Work(SamplerWeights weights)
    {
        ParameterLayout layout = weights.Layout;
        long multiplied = layout.Logits!.Count;
        foreach (LayerParameters layer in layout.Layers)
            multiplied += (long)layer.Qkv.Count + layer.Out.Count + layer.GateUp.Count + layer.Down.Count;
        return new DecodeWork(weights.StreamedBytes, 2 * multiplied);
    }

    private static RaggedBatch Batch(TrainCase train)
    {
        RaggedBatch batch = new();
        foreach (int[] tokens in Tokens(train))
            batch.Add(tokens.AsSpan(0, train.Length), tokens.AsSpan(1));
        return batch;
    }

    // Length + 1 random ids for each sequence
    private static int[][] Tokens(TrainCase train)
    {
        RandomStream random = new(1, "bench/batch");
        int[][] sequences = new int[train.Sequences][];
        for (int s = 0; s < sequences.Length; s++)
        {
            sequences[s] = new int[train.Length + 1];
            foreach (ref int token in sequences[s].AsSpan())
                token = random.NextInt(train.Config.VocabularySize);
        }
        return sequences;
    }

    private static NativeBuffer Normal(long count)
    {
        RandomStream random = new(1, "bench/normal");
        float[] numbers = new float[65_537];
        foreach (ref float number in numbers.AsSpan())
            number = (float)random.NextGaussian();
        NativeBuffer buffer = new(count);
        for (long i = 0; i < count; i++)
            buffer.Pointer[i] = numbers[i % numbers.Length];
        return buffer;
    }
}

/// <param name="BytesPerStep">Managed bytes a step of the engine allocates.</param>
/// <param name="BytesThroughSeam">Managed bytes a step through the training seam allocates.</param>
internal sealed record TrainResult(double TokensPerSecond, double FlopsPerToken, double BytesPerStep, long BytesThroughSeam);

/// <param name="BytesPerStep">Weights, read once for all sequences.</param>
/// <param name="FlopsPerToken">Every token meets each weight in one multiply-add.</param>
internal readonly record struct DecodeWork(long BytesPerStep, long FlopsPerToken)
{
    /// <summary>Most tokens a second that bandwidth and multiply-adds allow.</summary>
    public double Roofline(Meter meter, int batch, int threads) =>
        Math.Min(batch * meter.Bandwidth(threads) / BytesPerStep, meter.Peak(threads) / FlopsPerToken);
}
