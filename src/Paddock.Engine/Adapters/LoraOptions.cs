namespace Paddock.Engine.Adapters;

/// <summary>
/// Low-rank adapters (Hu et al. 2021, arXiv 2106.09685): y = W x + s B (A x), W frozen. s = alpha / rank, or alpha / sqrt(rank) when
/// rank-stabilised (Kalajdzievski 2023, arXiv 2312.03732).
/// </summary>
/// <param name="Rank">r, at least 1.</param>
/// <param name="Alpha">Positive.</param>
/// <param name="Targets">Projections that get an adapter: q, k, v, o, gate, up, down; empty = all the family has.</param>
public sealed record LoraOptions(int Rank, double Alpha, IReadOnlyList<string> Targets, bool RankStabilised = false)
{
    // far above any use; keeps products of sizes small
    private const int MaxRank = 4096;

    /// <summary>s.</summary>
    public float Scale => (float)(Alpha / (RankStabilised ? Math.Sqrt(Rank) : Rank));

    /// <summary>Throws when a number is out of range.</summary>
    public void Check()
    {
        if (Rank is < 1 or > MaxRank)
            throw new BadInputException($"lora: rank {Rank} is out of range; it is 1 to {MaxRank}");
        if (!(Alpha > 0) || !double.IsFinite(Alpha))
            throw new BadInputException($"lora: alpha {Alpha} is out of range; it is a positive number");
    }
}
