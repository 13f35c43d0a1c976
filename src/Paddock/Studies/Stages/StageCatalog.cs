namespace Paddock.Studies.Stages;

/// <summary>The stages of recipes: the closed table from key to record.</summary>
public static class StageCatalog
{
    public static StageTable Table { get; } = new(new Dictionary<string, Type>
    {
        ["pretrain"] = typeof(PretrainStage),
        ["sft"] = typeof(SftStage),
        ["sample"] = typeof(SampleStage),
        ["annotate"] = typeof(AnnotateStage),
        ["pairs"] = typeof(PairsStage),
        ["reward-model"] = typeof(RewardModelStage),
        ["weight-average"] = typeof(WeightAverageStage),
        ["expert-iteration"] = typeof(ExpertIterationStage),
        ["dpo"] = typeof(DpoStage),
        ["kto"] = typeof(KtoStage),
        ["orpo"] = typeof(OrpoStage),
        ["cpo"] = typeof(CpoStage),
        ["bco"] = typeof(BcoStage),
        ["ppo"] = typeof(PpoStage),
        ["grpo"] = typeof(GrpoStage),
        ["rloo"] = typeof(RlooStage),
        ["reinforce"] = typeof(ReinforceStage),
        ["online-dpo"] = typeof(OnlineDpoStage),
        ["xpo"] = typeof(XpoStage),
        ["nash-md"] = typeof(NashMdStage),
        ["feedme"] = typeof(FeedMeStage),
        ["reward-conditioning"] = typeof(RewardConditioningStage),
        ["quark"] = typeof(QuarkStage),
        ["spin"] = typeof(SpinStage),
        ["accuracy"] = typeof(AccuracyStage),
        ["win-rate"] = typeof(WinRateStage),
    });
}
