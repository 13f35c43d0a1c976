// WARM: weight-averaged reward models (Ramé et al. 2024, arXiv 2401.12187): an ensemble at the cost of one model.
//
//   weights = (weights_1 + ... + weights_n) / n
//
// of reward models that were fitted from the same body in different ways: other orders of the data, other halves of it, other rates. What
// they agree on stays, what each has learned by heart averages out. Where they did not start from the same body the average means nothing.
// Page, metrics and results: docs/methods/weight-average.md
using Paddock.Backends;
using Paddock.Engine;

namespace Paddock.Methods;

/// <summary>The mean of several models' weights.</summary>
public static class WeightAverage
{
    /// <summary>Turns <paramref name="first"/> into the mean of itself and <paramref name="others"/>, one after the other: the k-th has a share of 1/k when it comes.</summary>
    public static async Task RunAsync(ITrainableModel first, IReadOnlyList<Func<Task<ITrainableModel>>> others, StageContext stage, CancellationToken cancellation)
    {
        IMixableModel mean = first as IMixableModel ?? throw new BadInputException("weight-average needs a backend that can mix the weights of two models");
        for (int i = 0; i < others.Count; i++)
        {
            await using ITrainableModel other = await others[i]();
            await mean.MixAsync(other, 1.0 / (i + 2), cancellation);
            stage.Progress(i + 2, others.Count + 1, "models");
        }
    }
}
