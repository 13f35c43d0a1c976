using System.Buffers;
using System.Numerics.Tensors;

namespace Paddock.Engine.Sampling;

/// <summary>
/// From logits to a token: the processors of Hugging Face's <c>generate</c> (removed entries become minus infinity) and the draw.
/// Every function depends on its row alone; ties are settled by index, so the same logits and the same random number give the same token.
/// </summary>
public static class SamplingRules
{
    // entries summed in float before the partial sum goes to double
    private const int Chunk = 512;

    // probabilities lie in 0 .. 1, whose bit patterns end at 0x3F800000; the upper 13 bits sort them coarsely
    private const int BucketShift = 19;
    private const int Buckets = (0x3F800000 >> BucketShift) + 1;

    /// <summary>All processors but the draw: penalty (on <paramref name="seen"/>, each id once), temperature, top-k, top-p, min-p. Greedy stops after the penalty.</summary>
    public static void Apply(Span<float> logits, SamplerOptions options, ReadOnlySpan<int> seen)
    {
        if (options.RepetitionPenalty != 1f)
            Penalise(logits, seen, options.RepetitionPenalty);
        if (options.Temperature == 0f)
            return;
        if (options.Temperature != 1f)
            TensorPrimitives.Divide(logits, options.Temperature, logits);
        if (options.TopK > 0)
            KeepTopK(logits, options.TopK);
        if (options.TopP < 1f)
            KeepTopP(logits, options.TopP);
        if (options.MinP > 0f)
            KeepMinP(logits, options.MinP);
    }

    /// <summary>Negative logits times the penalty, others divided by it (Keskar et al. 2019). <paramref name="distinct"/> holds no id twice.</summary>
    public static void Penalise(Span<float> logits, ReadOnlySpan<int> distinct, float penalty)
    {
        foreach (int id in distinct)
        {
            float z = logits[id];
            logits[id] = z < 0 ? z * penalty : z / penalty;
        }
    }

    /// <summary>Keeps every entry that is at least the k-th largest; ties at the boundary are all kept.</summary>
    public static void KeepTopK(Span<float> logits, int k)
    {
        if (k >= logits.Length)
            return;
        float[] rented = ArrayPool<float>.Shared.Rent(k);
        Span<float> heap = rented.AsSpan(0, k); // smallest of the k largest at [0]
        logits[..k].CopyTo(heap);
        for (int i = k / 2 - 1; i >= 0; i--)
            SiftDown(heap, i);
        for (int i = k; i < logits.Length; i++)
        {
            if (logits[i] <= heap[0])
                continue;
            heap[0] = logits[i];
            SiftDown(heap, 0);
        }
        float threshold = heap[0];
        ArrayPool<float>.Shared.Return(rented);
        for (int i = 0; i < logits.Length; i++)
            if (logits[i] < threshold)
                logits[i] = float.NegativeInfinity;
    }

    /// <summary>
    /// Drops the least likely entries while their sum stays at most 1 - p; the most likely one always stays (Holtzman et al. 2020).
    /// Of equals the lower index goes first. Only the bucket where the sum crosses is sorted.
    /// </summary>
    public static void KeepTopP(Span<float> logits, float p)
    {
        int n = logits.Length;
        float[] rented = ArrayPool<float>.Shared.Rent(n);
        Span<float> weights = rented.AsSpan(0, n);
        double total = Weigh(logits, weights, out _);
        double limit = (1.0 - p) * total;

        Span<double> mass = stackalloc double[Buckets];
        mass.Clear();
        foreach (float weight in weights)
            mass[Bucket(weight)] += weight;
        int crossing = 0;
        double below = 0;
        while (crossing < Buckets - 1 && below + mass[crossing] <= limit)
            below += mass[crossing++];

        int count = 0;
        for (int i = 0; i < n; i++)
        {
            int bucket = Bucket(weights[i]);
            if (bucket == crossing)
                count++;
            else if (bucket < crossing)
                logits[i] = float.NegativeInfinity;
        }
        (float Weight, int Index)[] rentedPairs = ArrayPool<(float, int)>.Shared.Rent(Math.Max(count, 1));
        Span<(float Weight, int Index)> pairs = rentedPairs.AsSpan(0, count);
        count = 0;
        for (int i = 0; i < n; i++)
            if (Bucket(weights[i]) == crossing)
                pairs[count++] = (weights[i], i);
        pairs.Sort();
        // the crossing bucket always keeps its largest entry: where nothing lies above it, that is the most likely of all
        for (int i = 0; i < count - 1; i++)
        {
            below += pairs[i].Weight;
            if (below > limit)
                break;
            logits[pairs[i].Index] = float.NegativeInfinity;
        }
        ArrayPool<(float, int)>.Shared.Return(rentedPairs);
        ArrayPool<float>.Shared.Return(rented);
    }

    /// <summary>Keeps entries whose probability is at least <paramref name="p"/> times the largest one (Nguyen et al. 2024).</summary>
    public static void KeepMinP(Span<float> logits, float p)
    {
        float largest = TensorPrimitives.Max<float>(logits);
        for (int i = 0; i < logits.Length; i++)
            if (MathF.Exp(logits[i] - largest) < p)
                logits[i] = float.NegativeInfinity;
    }

    /// <summary>Index of the largest logit, the lowest index of equals.</summary>
    public static int ArgMax(ReadOnlySpan<float> logits)
    {
        float largest = TensorPrimitives.Max(logits);
        return !float.IsNaN(largest) ? logits.IndexOf(largest) : throw new BadInputException("sampling: the model's logits are not numbers; its weights are damaged or training diverged");
    }

    /// <summary>log sum exp of the row, in nats.</summary>
    public static double LogSumExp(ReadOnlySpan<float> logits)
    {
        Span<float> chunk = stackalloc float[Chunk];
        float largest = TensorPrimitives.Max(logits);
        double total = 0;
        for (int start = 0; start < logits.Length; start += Chunk)
        {
            ReadOnlySpan<float> part = logits.Slice(start, Math.Min(Chunk, logits.Length - start));
            Span<float> weights = chunk[..part.Length];
            TensorPrimitives.Subtract(part, largest, weights);
            TensorPrimitives.Exp(weights, weights);
            total += TensorPrimitives.Sum(weights);
        }
        return largest + Math.Log(total);
    }

    /// <summary>Draws from softmax(logits) by inverting the cumulative sum at <paramref name="uniform"/> in [0, 1). Never draws a removed entry.</summary>
    /// <param name="logProb">Log-prob of the drawn token under softmax(logits).</param>
    public static int Draw(ReadOnlySpan<float> logits, double uniform, out float logProb)
    {
        int n = logits.Length;
        float[] rented = ArrayPool<float>.Shared.Rent(n);
        Span<float> weights = rented.AsSpan(0, n);
        double total = Weigh(logits, weights, out float largest);
        if (!double.IsFinite(total))
            throw new BadInputException("sampling: the model's logits are not numbers; its weights are damaged or training diverged");
        double target = uniform * total, sum = 0;
        int start = 0;
        while (start + Chunk < n)
        {
            double next = sum + TensorPrimitives.Sum<float>(weights.Slice(start, Chunk));
            if (next > target)
                break;
            sum = next;
            start += Chunk;
        }
        int token = -1;
        for (int i = start; i < n; i++)
        {
            if (weights[i] <= 0)
                continue;
            token = i;
            sum += weights[i];
            if (sum > target)
                break;
        }
        // rounding can carry the target past the last chunk's entries when all of those were removed
        for (int i = start - 1; token < 0; i--)
            if (weights[i] > 0)
                token = i;
        ArrayPool<float>.Shared.Return(rented);
        logProb = (float)(logits[token] - largest - Math.Log(total));
        return token;
    }

    // exp(z - largest) for every entry, and their sum
    private static double Weigh(ReadOnlySpan<float> logits, Span<float> weights, out float largest)
    {
        largest = TensorPrimitives.Max(logits);
        TensorPrimitives.Subtract(logits, largest, weights);
        TensorPrimitives.Exp<float>(weights, weights);
        double total = 0;
        for (int start = 0; start < weights.Length; start += Chunk)
            total += TensorPrimitives.Sum<float>(weights.Slice(start, Math.Min(Chunk, weights.Length - start)));
        return total;
    }

    private static int Bucket(float weight) => Math.Clamp(BitConverter.SingleToInt32Bits(weight) >> BucketShift, 0, Buckets - 1);

    private static void SiftDown(Span<float> heap, int i)
    {
        float value = heap[i];
        while (2 * i + 1 < heap.Length)
        {
            int child = 2 * i + 1;
            if (child + 1 < heap.Length && heap[child + 1] < heap[child])
                child++;
            if (heap[child] >= value)
                break;
            heap[i] = heap[child];
            i = child;
        }
        heap[i] = value;
    }
}
