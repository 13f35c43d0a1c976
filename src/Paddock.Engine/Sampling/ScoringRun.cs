using Paddock.Engine.Memory;

namespace Paddock.Engine.Sampling;

/// <summary>Log-probs of given sequences, computed in the same passes and with the same bits as sampling.</summary>
internal sealed unsafe class ScoringRun(IReadOnlyList<ReadOnlyMemory<int>> sequences, CachedForward forward, TokenPicker picker, KeyValueCache cache, RowBatch batch, NativeBuffer hidden, int width)
{
    private readonly List<(int Index, CachedSequence Cache)> _open = [];
    private readonly int[] _targets = new int[batch.Capacity];
    private readonly float[] _logProbs = new float[batch.Capacity];
    private readonly (int Sequence, int Position)[] _places = new (int, int)[batch.Capacity];
    private int _next;

    public float[][] Run(CancellationToken cancellation)
    {
        float[][] result = new float[sequences.Count][];
        for (int i = 0; i < result.Length; i++)
        {
            result[i] = new float[sequences[i].Length];
            result[i][0] = float.NaN;
            int blocks = KeyValueCache.BlocksFor(sequences[i].Length);
            if (blocks > cache.Capacity)
                throw new BadInputException($"sequence {i}: {sequences[i].Length} tokens need {blocks * cache.BlockFloats * sizeof(float) / (1 << 20) + 1} MiB of key/value cache; raise its budget or shorten the sequence");
        }
        try
        {
            while (Fill())
            {
                cancellation.ThrowIfCancellationRequested();
                forward.Run(batch, hidden.Pointer);
                fixed (int* targets = _targets)
                fixed (float* logProbs = _logProbs)
                    for (int first = 0; first < batch.WantedCount; first += forward.LogitRows)
                    {
                        int rows = Math.Min(forward.LogitRows, batch.WantedCount - first);
                        picker.Score(rows, forward.Logits(rows, hidden.Pointer + (long)first * width), targets + first, logProbs + first);
                    }
                for (int i = 0; i < batch.WantedCount; i++)
                    result[_places[i].Sequence][_places[i].Position] = _logProbs[i];
            }
            return result;
        }
        finally
        {
            foreach ((_, CachedSequence sequence) in _open)
                sequence.Dispose();
            cache.Reserved = 0;
        }
    }

    // rows of the next pass: every position but a sequence's last, which predicts nothing that was asked for
    private bool Fill()
    {
        batch.Clear();
        int kept = 0;
        for (int i = 0; i < _open.Count; i++)
        {
            // what finished in the last pass frees its blocks now, after they were read
            (int index, CachedSequence sequence) = _open[i];
            if (sequence.Length == sequences[index].Length - 1)
            {
                sequence.Dispose();
                cache.Reserved -= KeyValueCache.BlocksFor(sequences[index].Length);
                continue;
            }
            _open[kept++] = (index, sequence);
            Append(index, sequence);
        }
        _open.RemoveRange(kept, _open.Count - kept);
        while (batch.Free > 0 && _next < sequences.Count)
        {
            int length = sequences[_next].Length, blocks = KeyValueCache.BlocksFor(length);
            if (length > 1)
            {
                if (cache.Reserved + blocks > cache.Capacity)
                    break;
                cache.Reserved += blocks;
                CachedSequence sequence = new(cache, length);
                _open.Add((_next, sequence));
                Append(_next, sequence);
            }
            _next++;
        }
        return batch.Count > 0;
    }

    private void Append(int index, CachedSequence sequence)
    {
        ReadOnlySpan<int> tokens = sequences[index].Span;
        while (batch.Free > 0 && sequence.Length < tokens.Length - 1)
        {
            int position = sequence.Length;
            _targets[batch.WantedCount] = tokens[position + 1];
            _places[batch.WantedCount] = (index, position + 1);
            batch.Add(tokens[position], sequence, wanted: true);
        }
    }
}
