namespace Paddock.Engine.Models;

/// <summary>
/// Cuts a batch into chunks of whole sequences: as many as fit in <see cref="TokensPerChunk"/>, and a longer sequence alone. Depends on
/// nothing but the lengths, so that gradients are summed in the same order whatever is kept in memory.
/// </summary>
internal sealed class ChunkPlan
{
    /// <summary>Enough rows for the matrix products to run at full speed, few enough for a large model's activations.</summary>
    public const int TokensPerChunk = 1024;

    private ChunkShape[] _chunks = new ChunkShape[8];

    /// <summary>Number of chunks.</summary>
    public int Count { get; private set; }

    public ref readonly ChunkShape this[int index] => ref _chunks[index];

    public void Make(RaggedBatch batch, bool everyRow)
    {
        Count = 0;
        for (int first = 0; first < batch.SequenceCount;)
        {
            int end = first + 1, start = batch.Offsets[first];
            while (end < batch.SequenceCount && batch.Offsets[end + 1] - start <= TokensPerChunk)
                end++;
            int rows = batch.Offsets[end] - start, wanted = everyRow ? rows : 0;
            if (!everyRow)
                foreach (int target in batch.Targets.Slice(start, rows))
                    wanted += target == RaggedBatch.NoTarget ? 0 : 1;
            if (Count == _chunks.Length)
                Array.Resize(ref _chunks, 2 * Count);
            _chunks[Count++] = new(first, end - first, start, rows, wanted);
            first = end;
        }
    }
}

/// <param name="First">First sequence of the batch.</param>
/// <param name="Start">First token of the batch.</param>
/// <param name="Wanted">Rows that have a target.</param>
internal readonly record struct ChunkShape(int First, int Sequences, int Start, int Rows, int Wanted);
