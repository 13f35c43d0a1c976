using Paddock.Backends;
using Paddock.Engine.Numerics;
using Paddock.Methods;
using Paddock.Methods.Formulas;
using Paddock.Tests.Backends;

namespace Paddock.Tests.Methods;

/// <summary>How long and how coarsely a method that samples its own data is run.</summary>
internal sealed record OnlineRun(int Steps = 4, int Prompts = 3, double LearningRate = 3e-3, int MicroTokens = 8192, RewardOf? Reward = null, Selection? Selection = null, string Schedule = "cosine_with_min_lr")
{
    public const int MaxTokens = 6;

    public Optimisation Optimisation => new(Schedule, Warmup: 0);

    public RewardOf RewardOf => Reward ?? Share;

    /// <summary>Share of the answer's tokens that are id 5.</summary>
    public static Task<double[]> Share(IReadOnlyList<Rollout> rollouts, CancellationToken cancellation) =>
        Task.FromResult(rollouts.Select(r => r.Tokens.Count(t => t == 5) / (double)r.Tokens.Length).ToArray());
}

/// <summary>One method that samples its own data, on small random prompts, run the same way as all others.</summary>
/// <param name="Page">Its page in docs/methods.</param>
internal sealed record OnlineCase(string Name, string Page, Func<OnlineRun, ITrainableModel, StageContext, TinyModel, Task<BestPolicy>> RunAsync, bool Lora = false)
{
    private static readonly CancellationToken None = CancellationToken.None;

    private static readonly int[][] Prompts = MakePrompts();

    private static readonly int[] Stop = [TinyModel.End];

    public static IReadOnlyList<OnlineCase> All { get; } =
    [
        Ppo("ppo", new PpoSettings()),
        Ppo("ppo with everything", new PpoSettings(Epochs: 2, KlEstimator: KlEstimator.K3, TargetKl: 0.5, StopApproxKl: 0.01, WhitenRewards: true, MissingEndPenalty: 0.1, Gamma: 0.99)),
        Ppo("ppo of alpacafarm", new PpoSettings(PpoFlavour.Alpacafarm, Lambda: 1)),
        Ppo("ppo without a value model", new PpoSettings(Baseline: PpoBaseline.LeaveOneOut)),
        Ppo("ppo of adapters", new PpoSettings(), lora: true),
        Grpo("grpo", new GrpoSettings()),
        Grpo("grpo without a reference", new GrpoSettings(Beta: 0)),
        Grpo("grpo on whole answers", new GrpoSettings(GrpoLossType.Gspo, Epochs: 2, MaskTruncated: true)),
        Grpo("grpo with entropy", new GrpoSettings(GrpoLossType.Grpo, Entropy: 0.01, TopEntropy: 0.5)),
        new("rloo", "rloo", async (run, model, stage, tiny) => await new Rloo(new RlooSettings(run.Prompts, 2, run.Steps, LearningRate: run.LearningRate, Optimisation: run.Optimisation, MicroTokens: run.MicroTokens))
            .RunAsync(Prompts, run.RewardOf, model, await ReferenceAsync(stage, tiny), OnlineRun.MaxTokens, Stop, run.Selection, stage, None)),
        new("reinforce", "reinforce", async (run, model, stage, tiny) => await new Reinforce(new ReinforceSettings(run.Prompts, 2, run.Steps, LearningRate: run.LearningRate, Optimisation: run.Optimisation, MicroTokens: run.MicroTokens))
            .RunAsync(Prompts, run.RewardOf, model, await ReferenceAsync(stage, tiny), OnlineRun.MaxTokens, Stop, run.Selection, stage, None)),
        new("online dpo", "online-dpo", async (run, model, stage, tiny) => await new OnlineDpo(new OnlineDpoSettings(Prompts: run.Prompts, Steps: run.Steps, LearningRate: run.LearningRate, Optimisation: run.Optimisation, MicroTokens: run.MicroTokens))
            .RunAsync(Prompts, run.RewardOf, model, await ReferenceAsync(stage, tiny), OnlineRun.MaxTokens, Stop, run.Selection, stage, None)),
        new("nash-md", "nash-md", async (run, model, stage, tiny) => await new NashMd(new NashMdSettings(Prompts: run.Prompts, Steps: run.Steps, LearningRate: run.LearningRate, Optimisation: run.Optimisation, MicroTokens: run.MicroTokens))
            .RunAsync(Prompts, run.RewardOf, model, await ReferenceAsync(stage, tiny), OnlineRun.MaxTokens, Stop, run.Selection, stage, None)),
        new("xpo", "xpo", async (run, model, stage, tiny) => await new Xpo(new XpoSettings(Alpha: 1e-3, Prompts: run.Prompts, Steps: run.Steps, LearningRate: run.LearningRate, Optimisation: run.Optimisation, MicroTokens: run.MicroTokens))
            .RunAsync(Prompts, run.RewardOf, model, await ReferenceAsync(stage, tiny), OnlineRun.MaxTokens, Stop, run.Selection, stage, None)),
    ];

    public static OnlineCase Named(string name) => All.Single(c => c.Name == name);

    public static TheoryData<string> Names => [.. All.Select(c => c.Name)];

    public override string ToString() => Name;

    private static OnlineCase Ppo(string name, PpoSettings settings, bool lora = false) => new(name, "ppo", async (run, model, stage, tiny) =>
    {
        ITrainableModel? value = settings.Baseline == PpoBaseline.Value ? await stage.OpenTrainableAsync("value", tiny.Spec(Head.Scalar, lora ? TinyModel.Lora : null), None) : null;
        return await new Ppo(settings with { Prompts = run.Prompts, Samples = 2, Steps = run.Steps, LearningRate = run.LearningRate, Optimisation = run.Optimisation, MicroTokens = run.MicroTokens })
            .RunAsync(Prompts, run.RewardOf, model, await ReferenceAsync(stage, tiny), value, OnlineRun.MaxTokens, Stop, run.Selection, stage, None);
    }, lora);

    private static OnlineCase Grpo(string name, GrpoSettings settings) => new(name, "grpo", async (run, model, stage, tiny) =>
        await new Grpo(settings with { Prompts = run.Prompts, Samples = 4, Steps = run.Steps, LearningRate = run.LearningRate, Optimisation = run.Optimisation, MicroTokens = run.MicroTokens })
            .RunAsync(Prompts, run.RewardOf, model, settings.Beta == 0 ? null : await ReferenceAsync(stage, tiny), OnlineRun.MaxTokens, Stop, run.Selection, stage, None));

    private static Task<ITrainableModel> ReferenceAsync(StageContext stage, TinyModel tiny) => stage.OpenFrozenAsync("reference", tiny.Spec(), None);

    private static int[][] MakePrompts()
    {
        RandomStream stream = new(29, "prompts");
        int[][] prompts = new int[7][];
        for (int i = 0; i < prompts.Length; i++)
        {
            prompts[i] = new int[2 + i % 3];
            for (int t = 0; t < prompts[i].Length; t++)
                prompts[i][t] = 2 + stream.NextInt(TinyModel.Vocabulary - 2);
        }
        return prompts;
    }
}
