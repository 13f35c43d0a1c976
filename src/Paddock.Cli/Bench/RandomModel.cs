using Paddock.Engine.Checkpoints;
using Paddock.Engine.Models;
using Paddock.Engine.Models.Families;
using Paddock.Engine.Numerics;
using Paddock.Engine.Sampling;

namespace Paddock.Cli.Bench;

/// <summary>Models whose weights mean nothing: speed does not depend on them, as long as the numbers stay ordinary.</summary>
internal static class RandomModel
{
    private const double Deviation = 0.02;

    // odd, so that no row of a matrix equals another
    private const int Period = 65_537;

    /// <summary>Weights from a short list of normal numbers, over and over: drawing each would take longer than the measurement.</summary>
    public static ModelWeights Make(ModelConfig config)
    {
        ModelWeights weights = new(config, HeadKind.Token);
        float[] numbers = Numbers();
        foreach (Parameter parameter in weights.Layout.All)
        {
            Span<float> values = weights.Values(parameter);
            if (parameter.Dimensions == 1)
                values.Fill(1);
            else
                for (int done = 0; done < values.Length; done += numbers.Length)
                    numbers.AsSpan(0, Math.Min(numbers.Length, values.Length - done)).CopyTo(values[done..]);
        }
        return weights;
    }

    /// <summary>Packed for decoding. Q4_1, which is only taken from files, comes from random blocks.</summary>
    public static SamplerWeights Pack(ModelConfig config, string format)
    {
        if (format == "q4_1")
            return SamplerWeights.Load(config, new RandomBlocks(config));
        using ModelWeights weights = Make(config);
        return SamplerWeights.Pack(weights, format switch
        {
            "fp32" => WeightFormat.Float32,
            "bf16" => WeightFormat.BFloat16,
            "q8_0" => WeightFormat.Q8_0,
            _ => throw new ArgumentOutOfRangeException(nameof(format), format, "not a format of weights"),
        });
    }

    private static float[] Numbers()
    {
        RandomStream random = new(1, "bench");
        float[] numbers = new float[Period];
        foreach (ref float number in numbers.AsSpan())
            number = (float)(Deviation * random.NextGaussian());
        return numbers;
    }

    /// <summary>A checkpoint whose matrices are Q4_1 blocks: halves d and m, then 16 bytes of nibbles.</summary>
    private sealed class RandomBlocks : IWeightSource
    {
        private const int BlockBytes = 20;
        private readonly byte[] _raw;

        public RandomBlocks(ModelConfig config)
        {
            ParameterLayout layout = new(config, HeadKind.Token);
            Dictionary<string, TensorInfo> tensors = [];
            long largest = 0;
            foreach (TensorMap map in ModelFamily.For(config).Tensors(layout))
            {
                bool isMatrix = map.Target.Dimensions == 2;
                tensors[map.Name] = new(map.Name, isMatrix ? TensorFormat.Q4_1 : TensorFormat.Float32, map.Shape);
                largest = Math.Max(largest, map.Count);
            }
            Tensors = tensors;
            _raw = new byte[largest / 32 * BlockBytes];
            RandomStream random = new(1, "bench/blocks");
            Span<byte> pattern = _raw.AsSpan(0, Math.Min(_raw.Length, Period * BlockBytes));
            for (int i = 0; i < pattern.Length; i += BlockBytes)
            {
                BitConverter.TryWriteBytes(pattern[i..], (Half)(Deviation / 4));
                BitConverter.TryWriteBytes(pattern[(i + 2)..], (Half)(-2 * Deviation));
                for (int j = 4; j < BlockBytes; j++)
                    pattern[i + j] = (byte)random.NextInt(256);
            }
            for (int done = pattern.Length; done < _raw.Length; done += pattern.Length)
                pattern[..Math.Min(pattern.Length, _raw.Length - done)].CopyTo(_raw.AsSpan(done));
        }

        public string Place => "bench";

        public IReadOnlyDictionary<string, TensorInfo> Tensors { get; }

        public void Read(string name, Span<float> destination) => destination.Fill(1);

        public ReadOnlySpan<byte> Raw(string name)
        {
            TensorInfo info = Tensors[name];
            return info.Format == TensorFormat.Q4_1 ? _raw.AsSpan(0, checked((int)(info.Count / 32 * BlockBytes))) : default;
        }

        public void Dispose() { }
    }
}
