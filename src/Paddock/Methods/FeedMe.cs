// FeedME, binary (Ouyang et al. 2022; AlpacaFarm's variant, Dubois et al. 2023, section 3.3): supervised fine-tuning goes on, on the preferred answer of
// every pair.
//
// The loss is that of SFT (Sft.cs); the rejected answers and the labels' probabilities are not used. There is no reference code for it, so
// the settings are those of SFT. Page, metrics and results: docs/methods/feedme.md
using Paddock.Backends;
using Paddock.Data;

namespace Paddock.Methods;

/// <summary>Settings of FeedME: those of SFT, at the rate of the methods that start from an SFT model.</summary>
public sealed record FeedMeSettings(SftSettings? Training = null)
{
    public SftSettings Training { get; init; } = Training ?? new SftSettings(Epochs: 2, LearningRate: 3e-4);
}

/// <summary>Preferred answers as demonstrations.</summary>
public sealed class FeedMe(FeedMeSettings settings)
{
    public Task RunAsync(IReadOnlyList<TokenizedPair> pairs, ITrainableModel policy, StageContext stage, CancellationToken cancellation) =>
        new Sft(settings.Training).RunAsync([.. pairs.Select(p => new TokenizedExample(p.Prompt, p.Chosen))], policy, stage, cancellation);
}
