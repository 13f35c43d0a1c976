namespace Paddock.Backends;

/// <summary>A model whose weights can be drawn towards those of another: a reference that follows its policy.</summary>
public interface IMixableModel : ITrainableModel
{
    /// <summary>weights = share * those of <paramref name="towards"/>, adapters folded in, + (1 - share) * its own. Both are of one shape and backend.</summary>
    Task MixAsync(ITrainableModel towards, double share, CancellationToken cancellation);
}
