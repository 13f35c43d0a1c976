namespace Paddock.Engine.Models.Families;

/// <summary>
/// Llama (Touvron et al. 2023, arXiv 2302.13971) and the models of its shape: RMSNorm before each part, rotary positions, grouped
/// queries, gated SiLU, no biases.
/// </summary>
internal static class Llama
{
    public static readonly ModelFamily Family = new("llama", "Llama")
    {
        Features = "RMSNorm, gated SiLU, rotary positions and no biases",
        Has = config => LlamaShape.Is(config, c => c),
        Read = json => LlamaShape.Read(json, "llama"),
        Write = LlamaShape.Write,
    };
}
