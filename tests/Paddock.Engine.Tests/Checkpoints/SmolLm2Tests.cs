using System.Numerics.Tensors;
using System.Text.Json;
using Paddock.Engine.Checkpoints;
using Paddock.Engine.Models;
using Paddock.Tests.Shared;

namespace Paddock.Engine.Tests.Checkpoints;

/// <summary>The real model in GGUF against values that an independent reader found (golden/hf/smollm2).</summary>
public class SmolLm2Tests
{
    private static readonly string Model = SharedFolder.Get("models", "smollm2-135m-instruct", "SmolLM2-135M-Instruct.Q4_1.gguf");

    [SharedFact]
    public void Every_tensor_has_the_golden_values()
    {
        using GgufWeights weights = GgufWeights.Open(Model);
        using GgufFile file = GgufFile.Open(Model);
        JsonElement golden = Golden("weights.json").GetProperty("tensors");
        Assert.Equal(golden.GetArrayLength(), weights.Tensors.Count);
        foreach (JsonElement expected in golden.EnumerateArray())
        {
            string name = expected.GetProperty("hf_name").GetString()!, stored = expected.GetProperty("gguf_name").GetString()!;
            TensorInfo tensor = weights.Tensors[name];
            Assert.Equal(Ints(expected.GetProperty("row_major_shape")), tensor.Shape);
            Assert.Equal(expected.GetProperty("type").GetString(), tensor.Format == TensorFormat.Float32 ? "F32" : tensor.Format.ToString());
            Assert.Equal(expected.GetProperty("bytes").GetInt64(), weights.Raw(name).Length);

            float[] values = new float[tensor.Count];
            weights.Read(name, values);
            bool permuted = expected.TryGetProperty("hf_first8", out JsonElement first);
            Assert.Equal(Floats(permuted ? first : expected.GetProperty("first8")), values[..8]);
            Assert.Equal(Floats(permuted ? expected.GetProperty("hf_last8") : expected.GetProperty("last8")), values[^8..]);
            if (permuted)
            {
                Assert.Equal(Floats(expected.GetProperty("hf_row1_first8")), values[576..584]);
                float[] asStored = new float[tensor.Count];
                file.ReadRows(stored, 0, asStored);
                Assert.Equal(Floats(expected.GetProperty("first8")), asStored[..8]);
                Assert.Equal(Floats(expected.GetProperty("last8")), asStored[^8..]);
            }

            double sum = 0, absolute = 0;
            for (int row = 0; row < values.Length; row += tensor.Shape[^1])
            {
                sum += TensorPrimitives.Sum<float>(values.AsSpan(row, tensor.Shape[^1]));
                absolute += TensorPrimitives.SumOfMagnitudes<float>(values.AsSpan(row, tensor.Shape[^1]));
            }
            float min = TensorPrimitives.Min<float>(values), max = TensorPrimitives.Max<float>(values);
            double scale = expected.GetProperty("abs_mean").GetDouble();
            Assert.Equal(scale, absolute / values.Length, 1e-6 * scale);
            Assert.Equal(expected.GetProperty("mean").GetDouble(), sum / values.Length, 1e-6 * scale);
            Assert.Equal((float)expected.GetProperty("min").GetDouble(), min);
            Assert.Equal((float)expected.GetProperty("max").GetDouble(), max);
        }
    }

    [SharedFact]
    public void Packed_query_and_key_rows_are_the_rows_that_are_read()
    {
        using GgufWeights weights = GgufWeights.Open(Model);
        foreach (string name in (string[])["model.layers.7.self_attn.q_proj.weight", "model.layers.29.self_attn.k_proj.weight", "model.layers.3.self_attn.v_proj.weight"])
        {
            TensorInfo tensor = weights.Tensors[name];
            float[] read = new float[tensor.Count], packed = new float[tensor.Count];
            weights.Read(name, read);
            BlockFormats.Widen(tensor.Format, weights.Raw(name), packed);
            Assert.True(read.AsSpan().SequenceEqual(packed), name);
        }
    }

    [SharedFact]
    public void Metadata_and_config_are_those_of_the_published_model()
    {
        using GgufFile file = GgufFile.Open(Model);
        Assert.Equal(3, file.Version);
        JsonElement golden = Golden("gguf_metadata.json").GetProperty("metadata");
        int keys = 0;
        foreach (JsonProperty expected in golden.EnumerateObject().Where(p => !p.Name.StartsWith("GGUF.", StringComparison.Ordinal)))
        {
            keys++;
            object value = file.Metadata.Values[expected.Name];
            if (expected.Value.TryGetProperty("first", out JsonElement first))
            {
                Assert.Equal(expected.Value.GetProperty("length").GetInt32(), ((Array)value).Length);
                Assert.Equal([.. first.EnumerateArray().Select(item => item.ToString())], ((Array)value).Cast<object>().Take(first.GetArrayLength()).Select(item => $"{item}"));
                continue;
            }
            JsonElement scalar = expected.Value.GetProperty("value");
            if (value is float number)
                Assert.Equal((float)scalar.GetDouble(), number);
            else
                Assert.Equal(scalar.ToString(), value.ToString());
        }
        Assert.Equal(keys, file.Metadata.Values.Count);

        ModelConfig fromGguf = GgufConfig.Read(file), fromJson = HuggingFaceConfig.Read(SharedFolder.Get("models", "smollm2-135m-instruct"));
        Assert.Equal(fromJson with { EndOfSequenceIds = [] }, fromGguf with { EndOfSequenceIds = [] });
        Assert.Equal([2], fromGguf.EndOfSequenceIds);
    }

    [SharedFact]
    public void The_vocabulary_is_complete()
    {
        using GgufFile file = GgufFile.Open(Model);
        GgufTokenizer tokenizer = GgufTokenizer.From(file);
        Assert.Equal(("gpt2", "smollm"), (tokenizer.Model, tokenizer.Pre));
        Assert.Equal((49152, 49152, 48900, 0), (tokenizer.Tokens.Count, tokenizer.TokenTypes.Count, tokenizer.Merges.Count, tokenizer.Scores.Count));
        Assert.Equal("<|im_end|>", tokenizer.Tokens[tokenizer.EndOfSequenceId!.Value]);
        Assert.Equal((1, 2, 2, 0), (tokenizer.BeginOfSequenceId, tokenizer.EndOfSequenceId, tokenizer.PadId, tokenizer.UnknownId));
        Assert.False(tokenizer.AddBeginOfSequence);
        Assert.Equal(false, tokenizer.AddSpacePrefix);
        Assert.StartsWith("{% for message in messages %}", tokenizer.ChatTemplate, StringComparison.Ordinal);
    }

    private static JsonElement Golden(string name) => JsonDocument.Parse(File.ReadAllText(SharedFolder.Get("golden", "hf", "smollm2", name))).RootElement;

    private static int[] Ints(JsonElement list) => [.. list.EnumerateArray().Select(item => item.GetInt32())];

    private static float[] Floats(JsonElement list) => [.. list.EnumerateArray().Select(item => (float)item.GetDouble())];
}
