using Paddock.Engine.Numerics;
using Paddock.Backends;
using Paddock.Data;
using Paddock.Evaluation;
using Paddock.Methods;
using Paddock.Methods.Formulas;

namespace Paddock.Studies.Stages;

/// <summary><c>accuracy</c>: how often reward models score the preferred answer of held-out pairs higher.</summary>
/// <param name="Models">By the name that tables show: stage of a reward model.</param>
/// <param name="Data">Stage with the held-out preferences.</param>
[Makes(StageProduct.Results)]
public sealed record AccuracyStage(string Name, IReadOnlyDictionary<string, string> Models, string Data) : IStage
{
    private const int CalibrationBinCount = 10;

    public int Version => 2;

    public StageUses Uses => StageUses.Backend;

    public IEnumerable<StageInput> Inputs => [.. Models.Select(m => new StageInput($"models.{m.Key}", m.Value, InputKind.Model, StageProduct.RewardModel)), new("data", Data, Wants: StageProduct.Preferences)];

    public IEnumerable<StageProblem> Problems(StageChecks checks)
    {
        if (Models.Count == 0)
            yield return new("models", "must name at least one reward model");
    }

    public async Task RunAsync(StageRun run, CancellationToken cancellation)
    {
        List<Preference> pairs = StageRows.ReadPreferences(run.Input(Data), run);
        List<ModelAccuracy> results = [];
        foreach ((string name, string stage) in Models)
        {
            string weights = run.Input(stage).Weights;
            List<TokenizedPair> encoded = PairEncoding.Encode(pairs, run.Services.OpenCodec(weights), null);
            await using ITrainableModel model = await run.Backend.CreateAsync(new ModelSpec(weights, new Adaptation.Full(), Head.Scalar, run.Seed), cancellation);
            double[] scores = await new RewardScorer(model).ScoreAsync([.. encoded.SelectMany(p => new[] { new TokenizedExample(p.Prompt, p.Chosen), new TokenizedExample(p.Prompt, p.Rejected) })], cancellation);
            double[] margins = [.. encoded.Select((_, i) => scores[2 * i] - scores[2 * i + 1])];
            double[] correct = [.. margins.Select(m => m > 0 ? 1.0 : m < 0 ? 0.0 : 0.5)];
            Interval accuracy = Interval.OfMean(correct, "pairs"), wilson = WinRate.Wilson(correct.Sum(), correct.Length);
            // half of the pairs are shown turned around, or every outcome would be 'the first is better'
            double[] probabilities = [.. margins.Select((m, i) => ScalarMath.Sigmoid(i % 2 == 0 ? m : -m))];
            double[] outcomes = [.. margins.Select((_, i) => i % 2 == 0 ? 1.0 : 0.0)];
            results.Add(new(name, new Estimate(accuracy.Mean, accuracy.StandardError, correct.Length), wilson.Low, wilson.High, margins.Count(m => m == 0),
                Calibration.LogLoss(probabilities, outcomes), Calibration.Bins(probabilities, outcomes, CalibrationBinCount).Ece));
            run.Progress(results.Count, Models.Count, "models");
        }
        StageRows.WriteResult(run, new AccuracyResult(Data, results), RowsJson.Default.AccuracyResult);
        run.Summary = string.Join(", ", results.Select(r => $"{r.Model} {100 * r.Accuracy.Mean:0.0} % [{100 * r.Low:0.0}, {100 * r.High:0.0}] of {r.Accuracy.N}"));
    }
}
