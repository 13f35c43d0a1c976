using Paddock.Backends;
using Paddock.Data;
using Paddock.Engine.Numerics;
using Paddock.Methods;
using Paddock.Methods.Formulas;
using Paddock.Tests.Backends;

namespace Paddock.Tests.Methods;

/// <summary>How long and how coarsely a method is run.</summary>
/// <param name="Rows">First so many rows of the data.</param>
internal sealed record MethodRun(int Rows = 10, int Batch = 4, int Epochs = 2, double LearningRate = 3e-3, int MicroTokens = 8192);

/// <summary>One training method on small random data, run the same way as all others.</summary>
/// <param name="Page">Its page in docs/methods.</param>
/// <param name="Reach">Share of its first loss that a batch learned by heart may still cost.</param>
internal sealed record MethodCase(string Name, string Page, Head Head, Func<MethodRun, ITrainableModel, StageContext, TinyModel, Task> RunAsync, bool Lora = false, double Reach = 0.05)
{
    private static readonly CancellationToken None = CancellationToken.None;

    private static readonly TokenizedPair[] Data = MakePairs();

    public static IReadOnlyList<MethodCase> All { get; } =
    [
        new("sft", "sft", Head.Token, SftAsync),
        new("sft with the dynamic objective", "sft", Head.Token, (run, model, stage, _) =>
            new Sft(new SftSettings(run.Batch, run.Epochs, run.LearningRate, SftObjective.Dynamic, MicroTokens: run.MicroTokens)).RunAsync(Examples(run), model, stage, None)),
        new("sft that learns prompts", "sft", Head.Token, (run, model, stage, _) =>
            new Sft(new SftSettings(run.Batch, run.Epochs, run.LearningRate, PromptLoss: true, MicroTokens: run.MicroTokens)).RunAsync(Examples(run), model, stage, None), Reach: 0.3),
        new("sft of adapters", "sft", Head.Token, SftAsync, Lora: true),
        new("sft without distributions", "sft", Head.Token, (run, model, stage, tiny) => SftAsync(run, new PlainModel(model), stage, tiny)),
        new("reward model", "reward-model", Head.Scalar, (run, model, stage, _) =>
            new RewardModel(new RewardModelSettings(run.Batch, run.Epochs, run.LearningRate, MicroTokens: run.MicroTokens)).RunAsync(Pairs(run), model, stage, None)),
        new("centred reward model of adapters", "reward-model", Head.Scalar, (run, model, stage, _) =>
            new RewardModel(new RewardModelSettings(run.Batch, run.Epochs, run.LearningRate, Centring: 0.01, MicroTokens: run.MicroTokens)).RunAsync(Pairs(run), model, stage, None), Lora: true),
        new("dpo", "dpo", Head.Token, (run, model, stage, tiny) => DpoAsync(DpoLossType.Sigmoid, run, model, stage, tiny)),
        new("dpo with ipo", "dpo", Head.Token, (run, model, stage, tiny) => DpoAsync(DpoLossType.Ipo, run, model, stage, tiny)),
        new("dpo with aot", "dpo", Head.Token, (run, model, stage, tiny) => DpoAsync(DpoLossType.Aot, run, model, stage, tiny)),
        new("dpo with a mixture", "dpo", Head.Token, (run, model, stage, tiny) => DpoAsync(new DpoSettings(Losses: new Dictionary<DpoLossType, double> { [DpoLossType.Sigmoid] = 0.8, [DpoLossType.BcoPair] = 0.2, [DpoLossType.Sft] = 1 }), run, model, stage, tiny)),
        new("dpo with a divergence", "dpo", Head.Token, (run, model, stage, tiny) => DpoAsync(new DpoSettings(Divergence: FDivergence.JensenShannon), run, model, stage, tiny)),
        new("dpo that discounts length", "dpo", Head.Token, (run, model, stage, tiny) => DpoAsync(new DpoSettings(LdAlpha: 0.5), run, model, stage, tiny)),
        new("dpo without a reference", "dpo", Head.Token, (run, model, stage, tiny) => DpoAsync(new DpoSettings(ReferenceFree: true), run, model, stage, tiny)),
        new("dpo with a reference that moves", "dpo", Head.Token, (run, model, stage, tiny) => DpoAsync(new DpoSettings(SyncEvery: 2), run, model, stage, tiny), Reach: 1),
        new("dpo of adapters", "dpo", Head.Token, (run, model, stage, tiny) => DpoAsync(DpoLossType.Sigmoid, run, model, stage, tiny), Lora: true),
        new("kto", "kto", Head.Token, (run, model, stage, tiny) => KtoAsync(new KtoSettings(Beta: 0.5), run, model, stage, tiny), Reach: 0.5),
        new("kto that averts losses", "kto", Head.Token, (run, model, stage, tiny) => KtoAsync(new KtoSettings(Beta: 0.5, UndesirableWeight: 1.5), run, model, stage, tiny), Reach: 0.5),
        new("kto without an anchor", "kto", Head.Token, (run, model, stage, tiny) => KtoAsync(new KtoSettings(Beta: 0.5, Loss: KtoLossType.ApoZeroUnpaired), run, model, stage, tiny), Reach: 0.2),
        new("bco", "bco", Head.Token, async (run, model, stage, tiny) => await new Bco(new BcoSettings(0.5, run.Batch, run.Epochs, run.LearningRate, MicroTokens: run.MicroTokens))
            .RunAsync(Labels(run), model, await stage.OpenFrozenAsync("reference", tiny.Spec(), None), stage, None), Reach: 0.2),
        new("orpo", "orpo", Head.Token, (run, model, stage, _) => new Orpo(new OrpoSettings(0.5, false, run.Batch, run.Epochs, run.LearningRate, MicroTokens: run.MicroTokens)).RunAsync(HardPairs(run), model, stage, None)),
        new("orpo that learns prompts", "orpo", Head.Token, (run, model, stage, _) => new Orpo(new OrpoSettings(0.1, true, run.Batch, run.Epochs, run.LearningRate, MicroTokens: run.MicroTokens)).RunAsync(HardPairs(run), model, stage, None), Reach: 0.2),
        new("cpo", "cpo", Head.Token, (run, model, stage, _) => CpoAsync(new CpoSettings(), run, model, stage)),
        new("simpo", "cpo", Head.Token, (run, model, stage, _) => CpoAsync(new CpoSettings(Loss: CpoLossType.Simpo), run, model, stage)),
        new("alphapo", "cpo", Head.Token, (run, model, stage, _) => CpoAsync(new CpoSettings(Loss: CpoLossType.Simpo, Shape: 0.25, Gamma: 0.1), run, model, stage)),
        new("feedme", "sft", Head.Token, (run, model, stage, _) =>
            new FeedMe(new FeedMeSettings(new SftSettings(run.Batch, run.Epochs, run.LearningRate, MicroTokens: run.MicroTokens))).RunAsync(Pairs(run), model, stage, None)),
        new("reward conditioning", "sft", Head.Token, (run, model, stage, _) =>
            new RewardConditioning(new RewardConditioningSettings(new SftSettings(2 * run.Batch, run.Epochs, run.LearningRate, MicroTokens: run.MicroTokens))).RunAsync(Pairs(run), [5], [6, 7], model, stage, None)),
        new("spin", "dpo", Head.Token, async (run, model, stage, tiny) =>
            await new Spin(new SpinSettings(Training: new DpoSettings(Batch: run.Batch, Epochs: run.Epochs, LearningRate: run.LearningRate, MicroTokens: run.MicroTokens)))
                .TrainAsync(HardPairs(run), model, await stage.OpenFrozenAsync("opponent", tiny.Spec(), None), stage, None)),
        new("quark", "quark", Head.Token, (run, model, stage, tiny) => QuarkAsync([], run, model, stage, tiny), Reach: 1),
        new("quark with controls", "quark", Head.Token, (run, model, stage, tiny) => QuarkAsync([[5], [6], [7], [8, 9]], run, model, stage, tiny), Reach: 1.2),
        new("expert iteration", "sft", Head.Token, (run, model, stage, _) =>
            new ExpertIteration(new ExpertIterationSettings(Training: new SftSettings(run.Batch, run.Epochs, run.LearningRate, MicroTokens: run.MicroTokens))).TrainAsync(Examples(run), model, stage, None)),
        new("pretraining", "pretraining", Head.Token, PretrainAsync),
    ];

    public static MethodCase Named(string name) => All.Single(c => c.Name == name);

    public static TheoryData<string> Names => [.. All.Select(c => c.Name)];

    public static TokenizedPair[] Pairs(MethodRun run) => Data[..run.Rows];

    public static TokenizedExample[] Examples(MethodRun run) => [.. Pairs(run).Select(p => new TokenizedExample(p.Prompt, p.Chosen))];

    public static TokenizedPair[] HardPairs(MethodRun run) => [.. Pairs(run).Select(p => p with { Probability = 1 })];

    /// <summary>As many labels as rows: a chosen answer, then a rejected one, and so on.</summary>
    public static TokenizedLabel[] Labels(MethodRun run) => [.. Pairs(run).Select((p, i) => new TokenizedLabel(p.Prompt, i % 2 == 0 ? p.Chosen : p.Rejected, i % 2 == 0))];

    public override string ToString() => Name;

    public ModelSpec Spec(TinyModel tiny) => tiny.Spec(Head, Lora ? TinyModel.Lora : null);

    private static Task SftAsync(MethodRun run, ITrainableModel model, StageContext stage, TinyModel tiny) =>
        new Sft(new SftSettings(run.Batch, run.Epochs, run.LearningRate, MicroTokens: run.MicroTokens)).RunAsync(Examples(run), model, stage, None);

    private static Task DpoAsync(DpoLossType loss, MethodRun run, ITrainableModel model, StageContext stage, TinyModel tiny) => DpoAsync(new DpoSettings(Loss: loss), run, model, stage, tiny);

    private static async Task DpoAsync(DpoSettings settings, MethodRun run, ITrainableModel model, StageContext stage, TinyModel tiny)
    {
        ITrainableModel? reference = settings.ReferenceFree ? null : settings.SyncEvery > 0 ? await stage.OpenTrainableAsync("reference", tiny.Spec(), None) : await stage.OpenFrozenAsync("reference", tiny.Spec(), None);
        // not every loss takes soft labels
        TokenizedPair[] pairs = [.. Pairs(run).Select(p => settings.LossOptions.TakesSoftLabels ? p : p with { Probability = 1 })];
        await new Dpo(settings with { Batch = run.Batch, Epochs = run.Epochs, LearningRate = run.LearningRate, MicroTokens = run.MicroTokens }).RunAsync(pairs, model, reference, stage, None);
    }

    private static async Task KtoAsync(KtoSettings settings, MethodRun run, ITrainableModel model, StageContext stage, TinyModel tiny) =>
        await new Kto(settings with { Batch = run.Batch, Epochs = run.Epochs, LearningRate = run.LearningRate, MicroTokens = run.MicroTokens })
            .RunAsync(Labels(run), model, await stage.OpenFrozenAsync("reference", tiny.Spec(), None), stage, None);

    private static Task CpoAsync(CpoSettings settings, MethodRun run, ITrainableModel model, StageContext stage) =>
        new Cpo(settings with { Batch = run.Batch, Epochs = run.Epochs, LearningRate = run.LearningRate, MicroTokens = run.MicroTokens }).RunAsync(HardPairs(run), model, stage, None);

    // long answers are worth most
    private static async Task QuarkAsync(int[][] controls, MethodRun run, ITrainableModel model, StageContext stage, TinyModel tiny) =>
        await new Quark(new QuarkSettings(run.Batch, run.Epochs, LearningRate: run.LearningRate, MicroTokens: run.MicroTokens)).RunAsync([.. Pairs(run).Select(p => p.Prompt)], controls, 6, [TinyModel.End],
            (answers, _) => Task.FromResult<double[]>([.. answers.Select(a => (double)a.Tokens.Count)]), model, await stage.OpenFrozenAsync("reference", tiny.Spec(), None), stage, None);

    private static Task PretrainAsync(MethodRun run, ITrainableModel model, StageContext stage, TinyModel tiny)
    {
        WeightedDocument[] documents = [.. Pairs(run).Select(p => new WeightedDocument([.. p.Prompt, .. p.Chosen],
            [.. p.Prompt.Select(_ => 0f), .. p.Chosen.Select((_, t) => t % 2 == 0 ? 1f : 2f)]))];
        int steps = (run.Rows + run.Batch - 1) / run.Batch * run.Epochs;
        return new Pretraining(new PretrainingSettings(steps, run.Batch, run.LearningRate, MicroTokens: run.MicroTokens))
            .RunAsync((index, _) => documents[index % run.Rows], model, stage, None);
    }

    private static TokenizedPair[] MakePairs()
    {
        RandomStream stream = new(23, "pairs");
        TokenizedPair[] pairs = new TokenizedPair[12];
        for (int i = 0; i < pairs.Length; i++)
            pairs[i] = new TokenizedPair(Ids(ref stream, 2 + i % 3, end: false), Ids(ref stream, 2 + i % 5, end: true), Ids(ref stream, 3 + i % 4, end: i % 2 == 0), i % 4 == 3 ? 0.8 : 1);
        return pairs;
    }

    private static int[] Ids(ref RandomStream stream, int count, bool end)
    {
        int[] ids = new int[count];
        for (int i = 0; i < count; i++)
            ids[i] = 2 + stream.NextInt(TinyModel.Vocabulary - 2);
        if (end)
            ids[^1] = TinyModel.End;
        return ids;
    }

    /// <summary>A model whose backend has no distributions.</summary>
    private sealed class PlainModel(ITrainableModel model) : ITrainableModel
    {
        public Task<PassResult> ForwardAsync(IReadOnlyList<Sequence> batch, CancellationToken cancellation) => model.ForwardAsync(batch, cancellation);

        public Task BackwardAsync(IReadOnlyList<Sequence> batch, IReadOnlyList<ReadOnlyMemory<float>> coefficients, CancellationToken cancellation) => model.BackwardAsync(batch, coefficients, cancellation);

        public Task<StepResult> StepAsync(AdamStep adam, CancellationToken cancellation) => model.StepAsync(adam, cancellation);

        public Task<CheckpointUri> SaveAsync(string name, CancellationToken cancellation) => model.SaveAsync(name, cancellation);

        public Task<ISampler> SnapshotSamplerAsync(CancellationToken cancellation) => model.SnapshotSamplerAsync(cancellation);

        public ValueTask DisposeAsync() => model.DisposeAsync();
    }
}
