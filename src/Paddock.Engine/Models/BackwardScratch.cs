namespace Paddock.Engine.Models;

/// <summary>Working memory of a backward pass, shared by all blocks.</summary>
internal unsafe struct BackwardScratch
{
    /// <summary>[N, C] gradient of the residual stream.</summary>
    public float* Stream;

    /// <summary>[n, C] the same at the wanted rows, above the last block's attention.</summary>
    public float* WantedStream;

    /// <summary>[N, C] gradient of a norm's output.</summary>
    public float* Normed;

    /// <summary>[N, (H + 2 KV) D].</summary>
    public float* Qkv;

    /// <summary>[N, H D].</summary>
    public float* Attended;

    /// <summary>[n, H D] the same at the wanted rows.</summary>
    public float* Gathered;

    /// <summary>[N, 2F].</summary>
    public float* GateUp;

    /// <summary>[N, F].</summary>
    public float* Activated;

    /// <summary>[N, C] gradient of the output of attention or MLP before its norm; null without such norms.</summary>
    public float* PartOut;

    /// <summary>Of the experts; null without any.</summary>
    public float* Experts;

    /// <summary>[N, widest group of adapters].</summary>
    public float* Adapters;

    /// <summary>[n] coefficients of the wanted outputs, and of their entropies.</summary>
    public float* Coefficients, EntropyCoefficients;

    /// <summary>Lays out the memory for <paramref name="rows"/> rows of which <paramref name="wanted"/> have a target.</summary>
    public static BackwardScratch Carve(ref Carver carver, TransformerBlock[] blocks, long rows, long wanted)
    {
        TransformerBlock block = blocks[0];
        int C = block.Qkv.In, adapters = 0, gateUp = 0, activated = 0;
        long experts = 0;
        foreach (TransformerBlock b in blocks)
        {
            if (b.Experts == null)
                (gateUp, activated) = (Math.Max(gateUp, b.GateUp.Out), Math.Max(activated, b.Down.In));
            else
                experts = Math.Max(experts, b.Experts.ScratchFloats(rows));
            adapters = Math.Max(adapters, Math.Max(Math.Max(b.Qkv.AdapterWidth, b.Out.AdapterWidth), Math.Max(b.GateUp.AdapterWidth, b.Down.AdapterWidth)));
        }
        return new()
        {
            Stream = carver.Take(rows * C),
            WantedStream = carver.Take(wanted * C),
            Normed = carver.Take(rows * C),
            Qkv = carver.Take(rows * block.Qkv.Out),
            Attended = carver.Take(rows * block.Out.In),
            Gathered = carver.Take(wanted * block.Out.In),
            GateUp = carver.Take(rows * gateUp),
            Activated = carver.Take(rows * activated),
            Adapters = carver.Take(rows * adapters),
            Coefficients = carver.Take(wanted),
            EntropyCoefficients = carver.Take(wanted),
            PartOut = block.NormsOutputs ? carver.Take(rows * C) : null,
            Experts = experts > 0 ? carver.Take(experts) : null,
        };
    }
}
