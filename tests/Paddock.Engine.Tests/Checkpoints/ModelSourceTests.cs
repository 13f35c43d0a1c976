using Paddock.Engine.Checkpoints;
using Paddock.Engine.Models;
using Paddock.Tests.Shared;

namespace Paddock.Engine.Tests.Checkpoints;

public sealed class ModelSourceTests : IDisposable
{
    private const string Config = """{"model_type":"llama","vocab_size":10,"hidden_size":32,"intermediate_size":64,"num_hidden_layers":1,"num_attention_heads":4}""";

    private readonly TemporaryFolder _folder = new();
    private readonly Dictionary<string, string> _environment = [];

    public ModelSourceTests() => _environment["HF_HUB_CACHE"] = _folder["hub"];

    [Fact]
    public void A_folder_is_a_model()
    {
        WriteModel("m");
        ModelFiles files = Find(_folder["m"]);
        Assert.Equal((_folder["m"], _folder["m"], null), (files.Place, files.TokenizerFolder, files.GgufTokenizer));
        Assert.Equal(10, files.Config.VocabularySize);
        using IWeightSource weights = files.OpenWeights();
        Assert.Single(weights.Tensors);
    }

    [Fact]
    public void A_gguf_file_is_a_model_with_its_own_vocabulary()
    {
        WriteGguf("m.gguf");
        ModelFiles files = Find(_folder["m.gguf"]);
        Assert.Null(files.TokenizerFolder);
        Assert.Equal(10, files.GgufTokenizer!.Tokens.Count);
        using IWeightSource weights = files.OpenWeights();
        Assert.Contains("model.embed_tokens.weight", weights.Tensors);
    }

    [Fact]
    public void A_folder_around_one_gguf_file_uses_the_tokenizer_beside_it()
    {
        WriteGguf("m/model.gguf");
        Assert.Null(Find(_folder["m"]).TokenizerFolder);
        _folder.Write("m/tokenizer.json", "{}");
        Assert.Equal((_folder["m/model.gguf"], _folder["m"]), (Find(_folder["m"]).Place, Find(_folder["m"]).TokenizerFolder));
        WriteGguf("m/other.gguf");
        AssertMissing("holds 2 GGUF files; give the path of one of them", _folder["m"]);
    }

    [Fact]
    public void Only_what_is_not_there_is_null_to_who_asks_whether_it_is()
    {
        WriteModel("m");
        ModelFiles? Try(string model) => ModelSource.TryFind(model, [_folder["a"], _folder["b"]], name => _environment.GetValueOrDefault(name));
        Assert.Equal(_folder["m"], Try(_folder["m"])?.Place);
        Assert.Null(Try("nothing"));
        Assert.Null(Try("owner/name"));
        Assert.Null(Try(_folder["nothing"]));
        Directory.CreateDirectory(_folder["empty"]);
        Assert.Contains("is not a model", Assert.Throws<BadInputException>(() => Try(_folder["empty"])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_name_is_looked_for_in_the_search_folders_in_order()
    {
        WriteModel("b/base");
        WriteGguf("b/small.gguf");
        Assert.Equal(_folder["b/base"], Find("base").Place);
        Assert.Equal(_folder["b/small.gguf"], Find("small").Place);
        WriteModel("a/base");
        Assert.Equal(_folder["a/base"], Find("base").Place);
    }

    [Fact]
    public void A_hub_id_is_looked_for_in_the_cache()
    {
        WriteModel("hub/models--owner--name.v1/snapshots/abc123");
        WriteModel("hub/models--owner--name.v1/snapshots/def456");
        _folder.Write("hub/models--owner--name.v1/refs/main", "abc123\n");
        _folder.Write("hub/models--owner--name.v1/refs/v2", "def456");
        Assert.Equal(_folder["hub/models--owner--name.v1/snapshots/abc123"], Find("owner/name.v1").Place);
        Assert.Equal(_folder["hub/models--owner--name.v1/snapshots/def456"], Find("owner/name.v1@v2").Place);
        Assert.Equal(_folder["hub/models--owner--name.v1/snapshots/def456"], Find("owner/name.v1@def456").Place);
    }

    [Fact]
    public void A_cache_without_refs_has_one_meaning_when_it_has_one_snapshot()
    {
        WriteModel("hub/models--o--n/snapshots/abc");
        Assert.Equal(_folder["hub/models--o--n/snapshots/abc"], Find("o/n").Place);
        WriteModel("hub/models--o--n/snapshots/def");
        AssertMissing("to fetch it: hf download o/n", "o/n");
    }

    [Fact]
    public void The_cache_lies_where_the_hub_library_puts_it()
    {
        Assert.Equal("/c", HubCache.Folder(name => name == "HF_HUB_CACHE" ? "/c" : "/other"));
        Assert.Equal(Path.Combine("/h", "hub"), HubCache.Folder(name => name == "HF_HOME" ? "/h" : name == "XDG_CACHE_HOME" ? "/x" : null));
        Assert.Equal(Path.Combine("/x", "huggingface", "hub"), HubCache.Folder(name => name == "XDG_CACHE_HOME" ? "/x" : null));
        Assert.EndsWith(Path.Combine(".cache", "huggingface", "hub"), HubCache.Folder(_ => null), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("../refs", false)]
    [InlineData("a/../b", false)]
    [InlineData("./b", false)]
    [InlineData("a/b@../../c", false)]
    [InlineData("a/b c", false)]
    [InlineData("a/", false)]
    [InlineData("a", false)]
    [InlineData("a/b@", false)]
    [InlineData("HuggingFaceTB/SmolLM2-135M_x.y", true)]
    public void Hub_ids_cannot_leave_the_cache(string text, bool valid) => Assert.Equal(valid, HubCache.TryParse(text, out _));

    [Fact]
    public void A_reference_cannot_leave_the_cache()
    {
        WriteModel("hub/models--o--n/snapshots/abc");
        _folder.Write("hub/models--o--n/refs/main", "../../../m");
        AssertMissing("does not hold the name of a commit", "o/n");
    }

    [Fact]
    public void A_missing_model_lists_what_was_tried_and_how_to_get_it()
    {
        BadInputException e = Assert.Throws<BadInputException>(() => Find("owner/name@v2"));
        Assert.Equal($"model 'owner/name@v2' was not found; tried owner/name@v2, {_folder["a/owner/name@v2"]}, {_folder["a/owner/name@v2.gguf"]}, {_folder["b/owner/name@v2"]}, "
            + $"{_folder["b/owner/name@v2.gguf"]}, {_folder["hub/models--owner--name"]}; to fetch it: hf download owner/name --revision v2", e.Message);
        AssertMissing("give a Hugging Face folder, a GGUF file, the name of a model or a hub id owner/name", "nothing");
        AssertMissing("the model is empty", " ");
        AssertMissing("was not found; tried " + _folder["none"] + "; give", _folder["none"]);
    }

    [Fact]
    public void What_is_not_a_model_says_so()
    {
        Directory.CreateDirectory(_folder["empty"]);
        AssertMissing("is not a model: it has no config.json and no GGUF file", _folder["empty"]);
        _folder.Write("adapter/adapter_config.json", "{}");
        AssertMissing("holds an adapter, not a model", _folder["adapter"]);
        AssertMissing("holds weights alone; give its folder", _folder.Write("w.safetensors", "x"));
        AssertMissing("not a GGUF file", _folder.Write("text.txt", "some text that is long enough to be looked at"));
    }

    [SharedFact]
    public void The_folder_of_the_real_model_opens_as_its_gguf_file()
    {
        ModelFiles files = ModelSource.Find("smollm2-135m-instruct", [SharedFolder.Get("models")]);
        Assert.EndsWith(".gguf", files.Place, StringComparison.Ordinal);
        Assert.Equal(SharedFolder.Get("models", "smollm2-135m-instruct"), files.TokenizerFolder);
        using IWeightSource weights = files.OpenWeights();
        Assert.Equal((272, 30), (weights.Tensors.Count, files.Config.LayerCount));
    }

    public void Dispose() => _folder.Dispose();

    private ModelFiles Find(string model) => ModelSource.Find(model, [_folder["a"], _folder["b"]], name => _environment.GetValueOrDefault(name));

    private void AssertMissing(string message, string model) => Assert.Contains(message, Assert.Throws<BadInputException>(() => Find(model)).Message, StringComparison.Ordinal);

    private void WriteModel(string name)
    {
        _folder.Write(name + "/config.json", Config);
        SafetensorsWriter.Write(_folder[name + "/model.safetensors"], [SafetensorsWriterTests.Tensor("a", [1], [1])], TensorFormat.Float32);
    }

    private void WriteGguf(string name)
    {
        GgufBuilder builder = TinyLlama.Metadata(new());
        TinyLlama.Tensors(builder, TensorFormat.Float32);
        _folder.Write(name, builder.Build());
    }
}
