using System.Text.Json;
using Paddock.Engine.Checkpoints;
using Paddock.Engine.Models;
using Paddock.Engine.Tests.Models;
using Paddock.Engine.Threading;
using Paddock.Tests.Shared;

namespace Paddock.Engine.Tests.Checkpoints;

public sealed class PeftAdapterTests : IDisposable
{
    private const string Good = """{"peft_type":"LORA","r":4,"lora_alpha":8,"target_modules":["q_proj"]""";

    private readonly TemporaryFolder _folder = new();

    [SharedTheory]
    [InlineData("lora_llama")]
    [InlineData("lora_llama_rslora")]
    [InlineData("lora_gpt2")]
    public void Adapters_of_peft_load_merge_and_come_back_with_the_same_bits(string name)
    {
        string folder = SharedFolder.Get("golden", "hf", name);
        PeftAdapter adapter = PeftAdapter.Read(folder);
        using HuggingFaceFolder basis = HuggingFaceFolder.Open(Path.Combine(folder, adapter.BaseModel!));
        using WorkerPool pool = new(2);
        using (TrainableTransformer model = adapter.Apply(ModelWeights.Load(basis.Config, basis.Weights), pool))
            PeftAdapter.Save(_folder["out"], model, adapter.BaseModel!);
        PeftAdapter again = PeftAdapter.Read(_folder["out"]);
        Assert.Equal(adapter.Options.Targets.Order(), again.Options.Targets.Order());
        Assert.Equal(adapter.Options with { Targets = [] }, again.Options with { Targets = [] });
        Assert.Equal(adapter.BaseModel, again.BaseModel);
        using SafetensorsFile before = SafetensorsFile.Open(Path.Combine(folder, "adapter_model.safetensors")), after = SafetensorsFile.Open(Path.Combine(_folder["out"], "adapter_model.safetensors"));
        Assert.Equal(before.Tensors.Keys.Order(), after.Tensors.Keys.Order());
        foreach (TensorInfo tensor in before.Tensors.Values)
            Assert.True(before.Raw(tensor.Name).SequenceEqual(after.Raw(tensor.Name)), tensor.Name);
        JsonElement written = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(_folder["out"], "adapter_config.json"))).RootElement;
        JsonElement reference = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "adapter_config.json"))).RootElement;
        foreach (string key in (string[])["peft_type", "task_type", "bias", "fan_in_fan_out", "r", "lora_alpha", "use_rslora", "base_model_name_or_path"])
            Assert.Equal(reference.GetProperty(key).ToString(), written.GetProperty(key).ToString());

        using SafetensorsFile golden = SafetensorsFile.Open(Path.Combine(folder, "golden.safetensors"));
        using ModelWeights merged = again.Merge(ModelWeights.Load(basis.Config, basis.Weights), pool);
        // the rank-stabilised golden has merged logits, which GoldenModelTests compares, and no weight
        string? weight = golden.Tensors.Keys.SingleOrDefault(key => key.StartsWith("merged_weight.", StringComparison.Ordinal));
        Assert.Equal(name == "lora_llama_rslora", weight == null);
        if (weight == null)
            return;
        ExportTensor exported = merged.Export().Single(tensor => "merged_weight." + tensor.Name == weight);
        float[] expected = new float[exported.Count], actual = new float[exported.Count];
        golden.Read(weight, expected);
        exported.Fill(actual);
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 1e-5));
    }

    [Theory]
    [InlineData("gpt_neox")]
    [InlineData("phi3")]
    [InlineData("qwen3_moe")]
    [InlineData("opt")]
    public void Adapters_of_other_families_round_trip(string family)
    {
        using WorkerPool pool = new(1);
        using TrainableTransformer model = TinyModels.Make(family, pool, lora: TinyModels.Lora);
        RaggedBatch batch = TinyModels.Batch(model.Config, 9, 14);
        PeftAdapter.Save(_folder["out"], model, "base");
        using TrainableTransformer again = PeftAdapter.Read(_folder["out"]).Apply(model.Weights.Clone(), pool);
        Assert.Equal(TinyModels.Outputs(model, batch), TinyModels.Outputs(again, batch));
        using TrainableTransformer merged = new(model.MergedWeights(), null, 0, pool);
        Assert.All(TinyModels.Outputs(model, batch).Zip(TinyModels.Outputs(merged, batch)), pair => Assert.Equal(pair.First, pair.Second, 2e-4));
    }

    [Theory]
    [InlineData("""{"r":4}""", "key 'peft_type' is missing")]
    [InlineData("""{"peft_type":"IA3"}""", "peft_type 'IA3' is not supported; LORA is")]
    [InlineData("""{"peft_type":"LORA","r":4}""", "key 'target_modules' is missing")]
    [InlineData("""{"peft_type":"LORA","target_modules":["q"]}""", "key 'r' is missing")]
    [InlineData("""{"peft_type":"LORA","r":4,"target_modules":"model\\..*"}""", "target_modules is a pattern")]
    [InlineData("""{"peft_type":"LORA","r":4,"target_modules":[]}""", "target_modules is empty")]
    [InlineData("""{"peft_type":"LORA","r":0,"target_modules":["q"]}""", "rank 0 is out of range")]
    [InlineData(Good + ""","use_dora":true}""", "use_dora true is not supported")]
    [InlineData(Good + ""","bias":"all"}""", "bias 'all' is not supported")]
    [InlineData(Good + ""","rank_pattern":{"q_proj":8}}""", "rank_pattern is not supported")]
    [InlineData(Good + ""","layers_to_transform":[1]}""", "layers_to_transform is not supported")]
    [InlineData(Good + ""","modules_to_save":["embed_tokens"]}""", "modules_to_save is supported for the scalar head alone")]
    public void What_is_not_supported_is_one_clear_error(string json, string message)
    {
        _folder.Write("adapter_config.json", json);
        Assert.Contains(message, Assert.Throws<BadInputException>(() => PeftAdapter.Read(_folder.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_adapter_without_weights_names_the_file()
    {
        _folder.Write("adapter_config.json", Good + "}");
        using WorkerPool pool = new(1);
        Assert.Contains("adapter_model.safetensors is missing",
            Assert.Throws<BadInputException>(() => PeftAdapter.Read(_folder.Path).Apply(ModelWeights.Random(TinyConfigs.Llama(), 1), pool)).Message, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();
}
