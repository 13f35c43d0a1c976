namespace Paddock.Engine.Models;

/// <summary>What one block keeps of a chunk for its backward pass. N rows up to attention, m rows after it.</summary>
internal unsafe struct BlockActivations
{
    /// <summary>[N, C] residual stream that enters the block.</summary>
    public float* Input;

    /// <summary>[N, C].</summary>
    public float* Normed;

    public float* Mean;

    public float* Rstd;

    /// <summary>[N, (H + 2 KV) D], rotated.</summary>
    public float* Qkv;

    /// <summary>[N, H D].</summary>
    public float* Attended;

    /// <summary>[N, H].</summary>
    public float* LogSumExp;

    /// <summary>[m, H D]: Attended at the rows that go on; Attended itself when all do.</summary>
    public float* Gathered;

    /// <summary>[m, C] residual stream after attention.</summary>
    public float* Middle;

    /// <summary>[m, C].</summary>
    public float* MiddleNormed;

    public float* MiddleMean;

    public float* MiddleRstd;

    /// <summary>[m, 2F], or [m, F] without a gate.</summary>
    public float* GateUp;

    /// <summary>[m, F].</summary>
    public float* Activated;

    /// <summary>[N, (H + KV) D] queries and keys before their norm, and [N, groups]; null without one.</summary>
    public float* RawQueryKeys, QueryKeyRstd;

    /// <summary>[m, C] outputs of attention and MLP before their norms, and [m]; null without them.</summary>
    public float* AttentionOut, AttentionOutRstd, MlpOut, MlpOutRstd;

    /// <summary>In place of GateUp and Activated where there are experts.</summary>
    public ExpertActivations Experts;

    /// <summary>What the adapters of the four projections keep.</summary>
    public float* QkvAdapters, OutAdapters, GateUpAdapters, DownAdapters;

    /// <summary>Lays out the memory of one block.</summary>
    public static BlockActivations Carve(ref Carver carver, TransformerBlock block, float* input, long rows, long after, bool gathered)
    {
        int C = block.Qkv.In;
        long dense = block.Experts == null ? after : 0;
        BlockActivations a = new()
        {
            Input = input,
            Normed = carver.Take(rows * C),
            Mean = carver.Take(rows),
            Rstd = carver.Take(rows),
            Qkv = carver.Take(rows * block.Qkv.Out),
            Attended = carver.Take(rows * block.Out.In),
            LogSumExp = carver.Take(rows * block.HeadCount),
            Middle = carver.Take(after * C),
            MiddleNormed = carver.Take(after * C),
            MiddleMean = carver.Take(after),
            MiddleRstd = carver.Take(after),
            GateUp = carver.Take(dense * block.GateUp.Out),
            Activated = carver.Take(dense * block.Down.In),
            QkvAdapters = carver.Take(rows * block.Qkv.AdapterWidth),
            OutAdapters = carver.Take(after * block.Out.AdapterWidth),
            GateUpAdapters = carver.Take(after * block.GateUp.AdapterWidth),
            DownAdapters = carver.Take(after * block.Down.AdapterWidth),
        };
        if (block.QueryKeyNorm is { } norm)
        {
            a.RawQueryKeys = carver.Take(rows * norm.Shape.Width);
            a.QueryKeyRstd = carver.Take(rows * norm.Shape.Groups);
        }
        if (block.NormsOutputs)
        {
            a.AttentionOut = carver.Take(after * C);
            a.AttentionOutRstd = carver.Take(after);
            a.MlpOut = carver.Take(after * C);
            a.MlpOutRstd = carver.Take(after);
        }
        if (block.Experts is { } experts)
            a.Experts = ExpertActivations.Carve(ref carver, experts, after);
        a.Gathered = gathered ? carver.Take(after * block.Out.In) : a.Attended;
        return a;
    }
}
