using Paddock.Engine.Memory;
using Paddock.Engine.Models;
using Paddock.Engine.Numerics;
using Paddock.Engine.Threading;

namespace Paddock.Engine.Sampling;

/// <summary>
/// Draws from the geometric mixture of two token models, p proportional to p_first^(1 - share) p_second^share, token by token: both read the
/// same prefix, and their logits are averaged. Samples of a chunk advance together; a request's samples depend on nothing but the request.
/// Temperature 1, no filters. One call at a time.
/// </summary>
public sealed unsafe class MixtureSampler : IDisposable
{
    private const int ChunkRequests = 64, RowsPerPass = 256;

    private readonly Half _first, _second;
    private readonly double _share;
    private readonly int _vocabulary;

    /// <summary>Copies the weights as they are now.</summary>
    /// <param name="share">Weight of the second model, in [0, 1].</param>
    /// <exception cref="BadInputException">The models have different vocabularies.</exception>
    public MixtureSampler(ModelWeights first, ModelWeights second, double share, WorkerPool pool)
    {
        if (first.Config.VocabularySize != second.Config.VocabularySize)
            throw new BadInputException($"a mixture needs models of one vocabulary, and these have {first.Config.VocabularySize} and {second.Config.VocabularySize} ids");
        (_first, _second, _share, _vocabulary) = (new Half(first, pool), new Half(second, pool), share, first.Config.VocabularySize);
    }

    /// <summary>Draws every request's samples, in the order of the requests. Log-probs are those of the mixture.</summary>
    public IEnumerable<FinishedSample> Sample(IReadOnlyList<PromptRequest> requests, int maxTokens, IReadOnlyList<int> stopTokens, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxTokens);
        List<Drawn> all = [];
        for (int i = 0; i < requests.Count; i++)
            for (int sample = 0; sample < requests[i].Count; sample++)
                all.Add(new Drawn(i, sample, requests[i]));
        foreach (Drawn drawn in all)
            drawn.Limit = Math.Min(maxTokens, Math.Min(_first.Room, _second.Room) - drawn.Prompt.Length + 1);
        for (int start = 0, taken; start < all.Count; start += taken)
        {
            taken = Fitting(all, start);
            List<Drawn> chunk = all.GetRange(start, taken);
            Advance(chunk, stopTokens, cancellation);
            foreach (Drawn drawn in chunk)
                yield return new FinishedSample(drawn.Request, drawn.Sample, [.. drawn.Tokens], [.. drawn.LogProbs], null, drawn.Ended ? FinishReason.StopToken : FinishReason.Length, null);
        }
    }

    public void Dispose()
    {
        _first.Dispose();
        _second.Dispose();
    }

    // samples whose keys and values fit into both caches at once
    private int Fitting(List<Drawn> all, int start)
    {
        int capacity = Math.Min(_first.Blocks, _second.Blocks), blocks = 0, count = 0;
        while (start + count < all.Count && count < ChunkRequests)
        {
            Drawn drawn = all[start + count];
            blocks += KeyValueCache.BlocksFor(drawn.Prompt.Length + drawn.Limit);
            if (blocks > capacity)
                break;
            count++;
        }
        return count > 0 ? count : throw new BadInputException($"a prompt of {all[start].Prompt.Length} tokens with {all[start].Limit} to come needs more than the sampler's memory for keys and values; shorten it");
    }

    private void Advance(List<Drawn> chunk, IReadOnlyList<int> stopTokens, CancellationToken cancellation)
    {
        try
        {
            foreach (Drawn drawn in chunk)
            {
                int longest = drawn.Prompt.Length + drawn.Limit;
                (drawn.First, drawn.Second) = (_first.Open(longest), _second.Open(longest));
                drawn.Pending.AddRange(drawn.Prompt);
            }
            List<Drawn> active = [.. chunk];
            double[] mixed = new double[_vocabulary];
            while (active.Count > 0)
            {
                cancellation.ThrowIfCancellationRequested();
                float[] first = _first.Logits(active, d => d.First!), second = _second.Logits(active, d => d.Second!);
                for (int r = 0; r < active.Count; r++)
                {
                    Drawn drawn = active[r];
                    int token = Draw(first.AsSpan(r * _vocabulary, _vocabulary), second.AsSpan(r * _vocabulary, _vocabulary), mixed, drawn.NextUniform(), out double logProb);
                    drawn.Tokens.Add(token);
                    drawn.LogProbs.Add((float)logProb);
                    drawn.Pending.Clear();
                    drawn.Pending.Add(token);
                    drawn.Ended = Contains(stopTokens, token);
                }
                active.RemoveAll(d => d.Ended || d.Tokens.Count == d.Limit);
            }
        }
        finally
        {
            foreach (Drawn drawn in chunk)
            {
                drawn.First?.Dispose();
                drawn.Second?.Dispose();
            }
        }
    }

    // inverse of the cumulative distribution, in double
    private int Draw(ReadOnlySpan<float> first, ReadOnlySpan<float> second, double[] mixed, double uniform, out double logProb)
    {
        double max = double.NegativeInfinity, sum = 0;
        for (int v = 0; v < mixed.Length; v++)
        {
            mixed[v] = (1 - _share) * first[v] + _share * second[v];
            max = Math.Max(max, mixed[v]);
        }
        foreach (double logit in mixed)
            sum += Math.Exp(logit - max);
        double rest = uniform * sum;
        int token = 0, last = 0;
        for (; token < mixed.Length; token++)
        {
            double weight = Math.Exp(mixed[token] - max);
            if (weight > 0)
                last = token;
            rest -= weight;
            if (rest < 0)
                break;
        }
        token = Math.Min(token, mixed.Length - 1);
        if (rest >= 0)
            token = last; // rounding ran past the end
        logProb = mixed[token] - max - Math.Log(sum);
        return token;
    }

    private static bool Contains(IReadOnlyList<int> tokens, int token)
    {
        for (int i = 0; i < tokens.Count; i++)
            if (tokens[i] == token)
                return true;
        return false;
    }

    /// <summary>A sample on its way.</summary>
    private sealed class Drawn(int request, int sample, PromptRequest source)
    {
        private RandomStream _stream = new RandomStream(source.Stream, "mixture").Split((ulong)sample);

        public int Request => request;

        public int Sample => sample;

        public int[] Prompt { get; } = source.Prompt.ToArray();

        public List<int> Tokens { get; } = [];

        public List<float> LogProbs { get; } = [];

        /// <summary>Tokens that both models have yet to read.</summary>
        public List<int> Pending { get; } = [];

        public CachedSequence? First { get; set; }

        public CachedSequence? Second { get; set; }

        public bool Ended { get; set; }

        /// <summary>Most tokens it may have.</summary>
        public int Limit { get; set; }

        public double NextUniform() => _stream.NextDouble();
    }

    /// <summary>One of the two models, with its own cache.</summary>
    private sealed class Half : IDisposable
    {
        private readonly SamplerWeights _weights;
        private readonly CachedForward _forward;
        private readonly KeyValueCache _cache;
        private readonly RowBatch _batch = new(RowsPerPass);
        private readonly NativeBuffer _hidden;

        public Half(ModelWeights weights, WorkerPool pool)
        {
            ModelConfig config = weights.Config;
            _weights = SamplerWeights.Pack(weights, WeightFormat.Float32);
            _forward = new(_weights, pool, RowsPerPass);
            _cache = new(config.LayerCount, new(config.KeyValueHeadCount, config.HeadSize), new SamplerSettings().CacheBytes);
            _hidden = new((long)RowsPerPass * config.HiddenSize);
        }

        /// <summary>Positions the model has; a last token needs none, as it is never read.</summary>
        public int Room => _weights.Config.Position == PositionKind.Learned ? _weights.Config.MaxPositions : int.MaxValue - 1;

        public int Blocks => _cache.Capacity;

        public CachedSequence Open(int tokens) => new(_cache, tokens);

        /// <summary>[active, V] logits after the pending tokens of each.</summary>
        public float[] Logits(List<Drawn> active, Func<Drawn, CachedSequence> sequenceOf)
        {
            int V = _weights.Config.VocabularySize, done = 0;
            float[] logits = new float[active.Count * V];
            _batch.Clear();
            foreach (Drawn drawn in active)
            {
                CachedSequence sequence = sequenceOf(drawn);
                for (int t = 0; t < drawn.Pending.Count; t++)
                {
                    if (_batch.Free == 0)
                        Flush(logits, ref done);
                    _batch.Add(drawn.Pending[t], sequence, wanted: t == drawn.Pending.Count - 1);
                }
            }
            Flush(logits, ref done);
            return logits;
        }

        public void Dispose()
        {
            _forward.Dispose();
            _cache.Dispose();
            _hidden.Dispose();
            _weights.Dispose();
        }

        private void Flush(float[] logits, ref int done)
        {
            int V = _weights.Config.VocabularySize, C = _weights.Config.HiddenSize;
            _forward.Run(_batch, _hidden.Pointer);
            for (int first = 0; first < _batch.WantedCount; first += _forward.LogitRows)
            {
                int rows = Math.Min(_forward.LogitRows, _batch.WantedCount - first);
                new ReadOnlySpan<float>(_forward.Logits(rows, _hidden.Pointer + (long)first * C), rows * V).CopyTo(logits.AsSpan(done * V));
                done += rows;
            }
            _batch.Clear();
        }
    }
}
