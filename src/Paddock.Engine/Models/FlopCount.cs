using Paddock.Engine.Adapters;

namespace Paddock.Engine.Models;

/// <summary>
/// Useful floating-point operations of a pass, a multiplication and an addition counted as two: matrix products and attention, nothing
/// that is only recomputed. A pure function of model and batch; about 2 N per token forward and 4 N backward.
/// </summary>
public static class FlopCount
{
    /// <summary>Of positions computed over a key/value cache, as in sampling and scoring.</summary>
    /// <param name="tokens">Positions computed.</param>
    /// <param name="wanted">Those of them whose logits are wanted.</param>
    /// <param name="pairs">Sum over positions of the keys each looks at, its own included.</param>
    public static long Cached(ParameterLayout layout, long tokens, long wanted, long pairs) => Count(layout, null, tokens, wanted, pairs).Forward;

    internal static long Forward(ParameterLayout layout, LoraAdapters? adapters, RaggedBatch batch) => Count(layout, adapters, batch).Forward;

    internal static long Backward(ParameterLayout layout, LoraAdapters? adapters, RaggedBatch batch) => Count(layout, adapters, batch).Backward;

    private static (long Forward, long Backward) Count(ParameterLayout layout, LoraAdapters? adapters, RaggedBatch batch)
    {
        long n = 0, pairs = 0;
        foreach (int target in batch.Targets)
            n += target == RaggedBatch.NoTarget ? 0 : 1;
        for (int s = 0; s < batch.SequenceCount; s++)
        {
            long length = batch.Offsets[s + 1] - batch.Offsets[s];
            pairs += length * (length + 1) / 2;
        }
        return Count(layout, adapters, batch.TokenCount, n, pairs);
    }

    private static (long Forward, long Backward) Count(ParameterLayout layout, LoraAdapters? adapters, long N, long n, long pairs)
    {
        long forward = 0, backward = 0;
        for (int l = 0; l < layout.Layers.Count; l++)
        {
            LayerParameters layer = layout.Layers[l];
            long after = l == layout.Layers.Count - 1 ? n : N;
            long attention = 4 * layout.QueryWidth * pairs;
            forward += attention;
            backward += 2 * attention;
            Add(layer.Qkv, N, inputWanted: l > 0 || adapters == null);
            Add(layer.Out, after, true);
            long uses = after;
            if (layer.Router != null)
            {
                Add(layer.Router, after, true);
                uses *= layout.Config.Experts!.PerToken;
            }
            Add(layer.GateUp, uses, true);
            Add(layer.Down, uses, true);
        }
        long head = 2 * n * (layout.Logits?.Count ?? layout.Score!.Count);
        return (forward + head, backward + head * (adapters == null || layout.Score != null ? 2 : 1));

        void Add(Parameter matrix, long rows, bool inputWanted)
        {
            long product = 2 * rows * matrix.Count;
            forward += product;
            backward += (inputWanted ? product : 0) + (adapters == null ? product : 0);
            if (adapters?.Of(matrix) is not { } group)
                return;
            long adapter = 2 * rows * group.A.Count;
            foreach (LoraSite site in group.Sites)
                adapter += 2 * rows * site.B.Count;
            forward += adapter;
            backward += 2 * adapter;
        }
    }
}
