using System.Text.Json;
using Paddock.Engine.Checkpoints;
using Paddock.Engine.Models;
using Paddock.Tests.Shared;

namespace Paddock.Engine.Tests.Checkpoints;

public sealed class HuggingFaceFolderTests : IDisposable
{
    private static readonly ModelConfig Llama = new()
    {
        Family = "llama",
        VocabularySize = 100,
        HiddenSize = 48,
        LayerCount = 1,
        HeadCount = 6,
        KeyValueHeadCount = 2,
        HeadSize = 16,
        FeedForwardSize = 112,
        MaxPositions = 512,
        NormEpsilon = 1e-6f,
        RopeTheta = 123456.5,
        RopeScaling = new(8, 1, 4, 256),
        TiedEmbeddings = true,
        BeginOfSequenceId = 1,
        EndOfSequenceIds = [2, 5],
        PadId = 3,
    };

    private static readonly ModelConfig Gpt2 = new()
    {
        Family = "gpt2",
        VocabularySize = 100,
        HiddenSize = 48,
        LayerCount = 1,
        HeadCount = 4,
        KeyValueHeadCount = 4,
        HeadSize = 12,
        FeedForwardSize = 96,
        MaxPositions = 64,
        Norm = NormKind.LayerNorm,
        NormEpsilon = 1e-5f,
        Activation = ActivationKind.GeluTanh,
        Position = PositionKind.Learned,
        TiedEmbeddings = true,
        Biases = true,
        EndOfSequenceIds = [7],
    };

    private static readonly ExportTensor[] Weights = [SafetensorsWriterTests.Tensor("model.norm.weight", [2], [1, 2])];

    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Families => ["llama", "plain llama", "gpt2"];

    [Theory]
    [MemberData(nameof(Families))]
    public void A_saved_config_reads_back_equal(string family)
    {
        ModelConfig config = family switch
        {
            "llama" => Llama,
            "gpt2" => Gpt2,
            _ => Llama with { RopeScaling = null, TiedEmbeddings = false, EndOfSequenceIds = [], PadId = null, BeginOfSequenceId = null },
        };
        HuggingFaceFolder.Save(_folder["m"], config, Weights, TensorFormat.BFloat16, null);
        using HuggingFaceFolder model = HuggingFaceFolder.Open(_folder["m"]);
        Assert.Equal(config.EndOfSequenceIds, model.Config.EndOfSequenceIds);
        Assert.Equal(config with { EndOfSequenceIds = model.Config.EndOfSequenceIds }, model.Config);
        Assert.Equal(TensorFormat.BFloat16, model.Weights.Tensors["model.norm.weight"].Format);
    }

    [Theory]
    [InlineData("llama", false, "LlamaForCausalLM")]
    [InlineData("llama", true, "LlamaForSequenceClassification")]
    [InlineData("gpt2", false, "GPT2LMHeadModel")]
    [InlineData("gpt2", true, "GPT2ForSequenceClassification")]
    public void The_architecture_follows_the_head(string family, bool scalar, string architecture)
    {
        ExportTensor[] weights = scalar ? [.. Weights, SafetensorsWriterTests.Tensor("score.weight", [1, 2], [1, 2])] : Weights;
        HuggingFaceFolder.Save(_folder["m"], family == "llama" ? Llama : Gpt2, weights, TensorFormat.Float16, null);
        JsonElement json = Json("m/config.json");
        Assert.Equal([architecture], json.GetProperty("architectures").EnumerateArray().Select(item => item.GetString()));
        Assert.Equal(family, json.GetProperty("model_type").GetString());
        Assert.Equal("float16", json.GetProperty("torch_dtype").GetString());
        Assert.Equal(scalar, json.TryGetProperty("id2label", out JsonElement labels));
        if (scalar)
            Assert.Equal("LABEL_0", Assert.Single(labels.EnumerateObject()).Value.GetString());
    }

    [SharedTheory]
    [InlineData("llama")]
    [InlineData("llama3_rope")]
    [InlineData("llama_reward")]
    [InlineData("gpt2")]
    public void Saved_keys_have_the_values_that_transformers_writes(string family)
    {
        string source = SharedFolder.Get("golden", "hf", family);
        using (HuggingFaceFolder original = HuggingFaceFolder.Open(source))
            HuggingFaceFolder.Save(_folder["m"], original.Config, Exports(original.Weights), TensorFormat.Float32, null);
        JsonElement expected = JsonDocument.Parse(File.ReadAllText(Path.Combine(source, "config.legacy.json"))).RootElement, saved = Json("m/config.json");
        foreach (JsonProperty property in saved.EnumerateObject())
        {
            if (!expected.TryGetProperty(property.Name, out JsonElement value))
                Assert.Equal("n_ctx", property.Name); // of old gpt2 configs
            else if (property.Name != "n_inner") // null there: four times n_embd
                Assert.True(Same(value, property.Value), $"{property.Name}: {value} became {property.Value}");
        }
    }

    [SharedFact]
    public void A_published_model_survives_bit_for_bit_with_its_tokenizer()
    {
        string source = SharedFolder.Get("golden", "hf", "llama");
        using HuggingFaceFolder original = HuggingFaceFolder.Open(source);
        _folder.Write("t/tokenizer.json", "{}");
        _folder.Write("t/chat_template.jinja", "hello");
        _folder.Write("t/secret.txt", "not copied");
        HuggingFaceFolder.Save(_folder["m"], original.Config, Exports(original.Weights), TensorFormat.Float32, _folder["t"], folder => File.WriteAllText(Path.Combine(folder, "extra.json"), "{}"));
        Assert.Equal(["chat_template.jinja", "config.json", "extra.json", "model.safetensors", "tokenizer.json"], Directory.GetFiles(_folder["m"]).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        using HuggingFaceFolder saved = HuggingFaceFolder.Open(_folder["m"]);
        Assert.Equal(original.Weights.Tensors.Keys.Order(), saved.Weights.Tensors.Keys.Order());
        foreach (string name in original.Weights.Tensors.Keys)
            Assert.True(original.Weights.Raw(name).SequenceEqual(saved.Weights.Raw(name)), name);
    }

    [Fact]
    public void A_failure_leaves_nothing()
    {
        ExportTensor failing = new("a", [1], _ => throw new InvalidOperationException("no"));
        Assert.Throws<InvalidOperationException>(() => HuggingFaceFolder.Save(_folder["m"], Llama, [failing], TensorFormat.Float32, null));
        Assert.Throws<InvalidOperationException>(() => HuggingFaceFolder.Save(_folder["m"], Llama, Weights, TensorFormat.Float32, null, _ => throw new InvalidOperationException("no")));
        Assert.Empty(Directory.GetFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void An_empty_folder_is_filled_and_any_other_is_left_alone()
    {
        Directory.CreateDirectory(_folder["m"]);
        HuggingFaceFolder.Save(_folder["m"] + Path.DirectorySeparatorChar, Llama, Weights, TensorFormat.Float32, null);
        Assert.True(File.Exists(_folder["m/model.safetensors"]));
        BadInputException e = Assert.Throws<BadInputException>(() => HuggingFaceFolder.Save(_folder["m"], Llama, Weights, TensorFormat.Float32, null));
        Assert.Contains("exists already; choose another folder", e.Message, StringComparison.Ordinal);
        Assert.Single(Directory.GetFileSystemEntries(_folder.Path));
    }

    [SharedFact]
    public void A_model_with_a_value_that_is_not_finite_is_not_loaded()
    {
        using HuggingFaceFolder original = HuggingFaceFolder.Open(SharedFolder.Get("golden", "hf", "llama"));
        IEnumerable<ExportTensor> damaged = Exports(original.Weights).Select(tensor => tensor.Name != "model.layers.1.mlp.up_proj.weight" ? tensor : tensor with
        {
            Fill = to =>
            {
                tensor.Fill(to);
                to[5] = float.NaN;
                to[^1] = float.NegativeInfinity;
            },
        });
        HuggingFaceFolder.Save(_folder["m"], original.Config, damaged, TensorFormat.BFloat16, null);
        using HuggingFaceFolder model = HuggingFaceFolder.Open(_folder["m"]);
        BadInputException e = Assert.Throws<BadInputException>(() => ModelWeights.Load(model.Config, model.Weights));
        Assert.Contains("model.safetensors: tensor 'model.layers.1.mlp.up_proj.weight' has 2 of 5376 values that are NaN or infinite", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Folders_without_readable_weights_say_why()
    {
        Assert.Contains("neither model.safetensors nor model.safetensors.index.json", Assert.Throws<BadInputException>(() => HuggingFaceFolder.OpenWeights(_folder.Path)).Message, StringComparison.Ordinal);
        _folder.Write("pytorch_model.bin", "x");
        Assert.Contains("convert them to safetensors", Assert.Throws<BadInputException>(() => HuggingFaceFolder.OpenWeights(_folder.Path)).Message, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private static IEnumerable<ExportTensor> Exports(IWeightSource source) =>
        source.Tensors.Values.Select(info => new ExportTensor(info.Name, [.. info.Shape], to => source.Read(info.Name, to)));

    private static bool Same(JsonElement a, JsonElement b) =>
        a.ValueKind == JsonValueKind.Number && b.ValueKind == JsonValueKind.Number ? a.GetDouble() == b.GetDouble()
        : a.ValueKind == JsonValueKind.Object && b.ValueKind == JsonValueKind.Object
            ? a.EnumerateObject().Count() == b.EnumerateObject().Count() && a.EnumerateObject().All(p => b.TryGetProperty(p.Name, out JsonElement other) && Same(p.Value, other))
            : JsonElement.DeepEquals(a, b);

    private JsonElement Json(string name) => JsonDocument.Parse(File.ReadAllText(_folder[name])).RootElement;
}
