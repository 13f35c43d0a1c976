using Paddock.Engine.Kernels;

namespace Paddock.Engine.Models;

/// <summary>
/// Whole sequences that pass through the model together, with the memory of their activations. A batch is cut into chunks by its own
/// shape alone, so that results do not depend on what memory allowed to keep.
/// </summary>
internal sealed unsafe class Chunk
{
    private readonly BlockActivations[] _layers;
    private readonly TransformerBlock[] _blocks;
    private readonly int _hidden, _vocabulary;

    /// <param name="vocabulary">V, or 0 under a scalar head.</param>
    public Chunk(TransformerBlock[] blocks, int hidden, int vocabulary)
    {
        (_blocks, _hidden, _vocabulary) = (blocks, hidden, vocabulary);
        _layers = new BlockActivations[blocks.Length];
    }

    /// <summary>Number of sequences.</summary>
    public int Sequences { get; private set; }

    /// <summary>Number of tokens.</summary>
    public int Rows { get; private set; }

    /// <summary>n: rows that have a target.</summary>
    public int Wanted { get; private set; }

    public int* Tokens { get; private set; }

    /// <summary>Position of each row in its sequence.</summary>
    public int* Positions { get; private set; }

    /// <summary>[Sequences + 1].</summary>
    public int* Offsets { get; private set; }

    /// <summary>[n] rows that have a target.</summary>
    public int* WantedRows { get; private set; }

    /// <summary>[n].</summary>
    public int* Targets { get; private set; }

    /// <summary>[n, C] output of the last block at the wanted rows.</summary>
    public float* Final { get; private set; }

    /// <summary>[n, C] after the final norm.</summary>
    public float* FinalNormed { get; private set; }

    public float* FinalMean { get; private set; }

    public float* FinalRstd { get; private set; }

    /// <summary>[n] log-prob of the target, or the scalar.</summary>
    public float* Outputs { get; private set; }

    public float* LogSumExp { get; private set; }

    /// <summary>Logits of the wanted rows for the backward pass, or null when it computes them again.</summary>
    public float* Logits { get; private set; }

    public float* Entropies { get; private set; }

    public int* ArgMax { get; private set; }

    /// <summary>Activations of layer <paramref name="l"/>; all layers share one region when only a forward pass is made.</summary>
    public ref readonly BlockActivations Layer(int l) => ref _layers[l];

    /// <summary>Lays out the memory of a chunk from <paramref name="start"/> (null: only counts) and returns its floats.</summary>
    public long Carve(float* start, int sequences, int rows, int wanted, bool everyLayer, bool logits = false)
    {
        (Sequences, Rows, Wanted) = (sequences, rows, wanted);
        Carver carver = new(start);
        Tokens = carver.TakeInts(rows);
        Positions = carver.TakeInts(rows);
        Offsets = carver.TakeInts(sequences + 1);
        WantedRows = carver.TakeInts(wanted);
        Targets = carver.TakeInts(wanted);
        ArgMax = carver.TakeInts(wanted);
        Outputs = carver.Take(wanted);
        LogSumExp = carver.Take(wanted);
        Entropies = carver.Take(wanted);
        FinalMean = carver.Take(wanted);
        FinalRstd = carver.Take(wanted);
        Final = carver.Take((long)wanted * _hidden);
        FinalNormed = carver.Take((long)wanted * _hidden);
        float* kept = carver.Take(logits && _vocabulary > 0 ? VocabularyLoss.KeptFloats(wanted, _vocabulary) : 0);
        Logits = logits && _vocabulary > 0 ? kept : null;
        // a forward pass alone walks between two residual streams and reuses everything else
        float* even = everyLayer ? null : carver.Take((long)rows * _hidden);
        float* odd = everyLayer ? null : carver.Take((long)rows * _hidden);
        Carver shared = carver;
        long used = carver.Used;
        for (int l = 0; l < _blocks.Length; l++)
        {
            if (!everyLayer)
                carver = shared;
            float* input = everyLayer ? carver.Take((long)rows * _hidden) : l % 2 == 0 ? even : odd;
            // after attention the last block computes only the rows that are wanted
            int after = l == _blocks.Length - 1 ? wanted : rows;
            _layers[l] = BlockActivations.Carve(ref carver, _blocks[l], input, rows, after, gathered: after != rows);
            used = Math.Max(used, carver.Used);
        }
        return used;
    }

    /// <summary>Copies the sequences from <paramref name="first"/> on into the carved memory.</summary>
    public void Fill(RaggedBatch batch, int first, bool everyRow)
    {
        int start = batch.Offsets[first], n = 0;
        for (int s = 0; s <= Sequences; s++)
            Offsets[s] = batch.Offsets[first + s] - start;
        batch.Tokens.Slice(start, Rows).CopyTo(new(Tokens, Rows));
        for (int s = 0; s < Sequences; s++)
            for (int row = Offsets[s]; row < Offsets[s + 1]; row++)
            {
                Positions[row] = row - Offsets[s];
                int target = batch.Targets[start + row];
                if (!everyRow && target == RaggedBatch.NoTarget)
                    continue;
                (WantedRows[n], Targets[n]) = (row, target);
                n++;
            }
    }
}
