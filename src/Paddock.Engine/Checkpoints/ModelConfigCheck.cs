using Paddock.Engine.Models;

namespace Paddock.Engine.Checkpoints;

/// <summary>The sizes of a config are a stranger's: nothing is allocated from them before they pass here.</summary>
internal static class ModelConfigCheck
{
    /// <summary>Far above any published model.</summary>
    public const int MaxLayers = 10_000;

    private const int MaxExperts = 4096;

    /// <summary>Returns the config, or throws an error that names the place and what is inconsistent.</summary>
    public static ModelConfig Validated(ModelConfig config, string place)
    {
        Positive(config.VocabularySize, "vocabulary size");
        Positive(config.HiddenSize, "hidden size");
        Positive(config.LayerCount, "number of layers");
        Positive(config.HeadCount, "number of heads");
        Positive(config.KeyValueHeadCount, "number of key and value heads");
        Positive(config.HeadSize, "head size");
        Positive(config.FeedForwardSize, "feed-forward size");
        Positive(config.MaxPositions, "number of positions");
        if (config.LayerCount > MaxLayers)
            throw Bad($"{config.LayerCount} layers are more than the {MaxLayers} supported");
        if (config.KeyValueHeadCount > config.HeadCount || config.HeadCount % config.KeyValueHeadCount != 0)
            throw Bad($"{config.HeadCount} heads cannot share {config.KeyValueHeadCount} key and value heads evenly");
        if (config.Position == PositionKind.Rotary && config.HeadSize % 2 != 0)
            throw Bad($"rotary positions need an even head size, not {config.HeadSize}");
        if (!(config.NormEpsilon >= 0 && float.IsFinite(config.NormEpsilon)))
            throw Bad($"the epsilon of the norms must be 0 or more, not {config.NormEpsilon}");
        if (!(config.RopeTheta > 0 && double.IsFinite(config.RopeTheta)))
            throw Bad($"the rotary base must be positive, not {config.RopeTheta}");
        if (config.RopeScaling is RopeScaling rope && !(rope.Factor > 0 && rope.LowFrequencyFactor > 0 && rope.HighFrequencyFactor > rope.LowFrequencyFactor && rope.OriginalMaxPositions > 0))
            throw Bad($"rotary scaling needs a positive factor, positive original positions and low < high frequency factors, not {rope}");
        if (config.Position == PositionKind.Rotary && (config.EffectiveRotarySize % 2 != 0 || config.EffectiveRotarySize > config.HeadSize))
            throw Bad($"an even number of up to {config.HeadSize} channels of a head can be rotated, not {config.EffectiveRotarySize}");
        if (!(config.RopeFactor > 0 && double.IsFinite(config.RopeFactor) && config.SlidingRopeTheta >= 0 && double.IsFinite(config.SlidingRopeTheta)))
            throw Bad($"the linear rotary factor {config.RopeFactor} and the rotary base {config.SlidingRopeTheta} of the sliding layers must be positive");
        if (config.SlidingWindow < 0 || (config.SlidingWindow == 0 && !config.SlidingLayers.Equals(LayerSet.None)))
            throw Bad($"the sliding window must be positive, not {config.SlidingWindow}");
        if (!(config.ScoreCap >= 0 && config.LogitCap >= 0 && config.ScoreCap <= float.MaxValue && config.LogitCap <= float.MaxValue))
            throw Bad($"the caps of scores and logits must be positive, not {config.ScoreCap} and {config.LogitCap}");
        if (config.Experts is { } experts)
        {
            Positive(experts.FeedForwardSize, "feed-forward size of an expert");
            if (experts.Count is < 1 or > MaxExperts || (long)experts.Count * config.LayerCount > 1 << 20)
                throw Bad($"{experts.Count} experts in each of {config.LayerCount} layers are not supported; 1 to {MaxExperts} are");
            if (experts.PerToken < 1 || experts.PerToken > experts.Count)
                throw Bad($"a token cannot use {experts.PerToken} of {experts.Count} experts");
            Fits(2L * experts.FeedForwardSize, config.HiddenSize, "an expert's matrix");
        }
        Fits(config.VocabularySize, config.HiddenSize, "the embedding");
        Fits((long)config.MaxPositions + config.PositionOffset, config.Position == PositionKind.Learned ? config.HiddenSize : 1, "the position table");
        Fits(config.HiddenSize, config.FeedForwardSize, "an MLP matrix");
        Fits(config.HeadCount, config.HeadSize, "the width of all heads");
        Fits((long)config.HeadCount * config.HeadSize, config.HiddenSize, "an attention matrix");
        Id(config.BeginOfSequenceId, "bos_token_id");
        Id(config.PadId, "pad_token_id");
        foreach (int id in config.EndOfSequenceIds)
            Id(id, "eos_token_id");
        return config;

        void Positive(int size, string what)
        {
            if (size <= 0)
                throw Bad($"the {what} must be positive, not {size}");
        }

        void Fits(long rows, int columns, string what)
        {
            if (rows * columns > int.MaxValue)
                throw Bad($"{what} would have {rows} x {columns} values, more than 2^31 - 1");
        }

        void Id(int? id, string key)
        {
            if (id is int value && (value < 0 || value >= config.VocabularySize))
                throw Bad($"{key} {value} is outside the vocabulary of {config.VocabularySize}; correct it or remove it");
        }

        BadInputException Bad(string fault) => new($"{place}: {fault}");
    }
}
