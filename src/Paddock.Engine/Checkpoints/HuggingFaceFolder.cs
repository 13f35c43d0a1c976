using Paddock.Engine.Models;

namespace Paddock.Engine.Checkpoints;

/// <summary>A model in the layout of the Hugging Face hub: <c>config.json</c>, weights in safetensors, tokenizer files.</summary>
public sealed class HuggingFaceFolder : IDisposable
{
    private const string SingleFile = "model.safetensors";
    private const string IndexFile = "model.safetensors.index.json";

    /// <summary>What travels with a model from the folder it was trained from.</summary>
    private static readonly string[] TokenizerFiles =
    [
        "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "tokenizer.model", "generation_config.json", "vocab.json", "merges.txt", "chat_template.jinja",
    ];

    private HuggingFaceFolder(string path, ModelConfig config, IWeightSource weights) => (Path, Config, Weights) = (path, config, weights);

    public string Path { get; }

    public ModelConfig Config { get; }

    public IWeightSource Weights { get; }

    /// <summary>Opens config and weights, in one file or in shards.</summary>
    /// <exception cref="BadInputException">A file is missing or damaged, or the model is not supported.</exception>
    public static HuggingFaceFolder Open(string folder) => new(folder, HuggingFaceConfig.Read(folder), OpenWeights(folder));

    /// <summary>Opens the weights alone.</summary>
    public static IWeightSource OpenWeights(string folder)
    {
        string single = System.IO.Path.Combine(folder, SingleFile), index = System.IO.Path.Combine(folder, IndexFile);
        if (File.Exists(single))
            return SafetensorsFile.Open(single);
        if (File.Exists(index))
            return SafetensorsShards.Open(index);
        throw new BadInputException(File.Exists(System.IO.Path.Combine(folder, "pytorch_model.bin")) || File.Exists(System.IO.Path.Combine(folder, "pytorch_model.bin.index.json"))
            ? $"{folder}: the weights are pickled (pytorch_model.bin), which is not read because such files can run code; convert them to safetensors"
            : $"{folder}: there is neither {SingleFile} nor {IndexFile}");
    }

    /// <summary>Whether the folder has weights that <see cref="OpenWeights"/> can open.</summary>
    public static bool HasWeights(string folder) => File.Exists(System.IO.Path.Combine(folder, SingleFile)) || File.Exists(System.IO.Path.Combine(folder, IndexFile));

    /// <summary>
    /// Writes a folder that transformers, vLLM and this program load. It appears whole or not at all. A tensor <c>score.weight</c> makes
    /// it a sequence classifier.
    /// </summary>
    /// <param name="folder">Must not exist, or be empty.</param>
    /// <param name="dtype">Float32, Float16 or BFloat16.</param>
    /// <param name="tokenizerSourceFolder">Where tokenizer and generation files are copied from, those that exist; null for none.</param>
    /// <param name="addFiles">Called with the folder's temporary name before it appears, to write more files into it.</param>
    public static void Save(string folder, ModelConfig config, IEnumerable<ExportTensor> tensors, TensorFormat dtype, string? tokenizerSourceFolder, Action<string>? addFiles = null)
    {
        List<ExportTensor> all = [.. tensors];
        bool scalarHead = all.Exists(tensor => tensor.Name == "score.weight");
        WholeFile.WriteFolder(folder, temporary =>
        {
            WholeFile.Write(System.IO.Path.Combine(temporary, "config.json"), file => file.Write(HuggingFaceConfigWriter.Write(config, dtype, scalarHead)));
            SafetensorsWriter.Write(System.IO.Path.Combine(temporary, SingleFile), all, dtype);
            if (tokenizerSourceFolder != null)
                foreach (string name in TokenizerFiles)
                    if (File.Exists(System.IO.Path.Combine(tokenizerSourceFolder, name)))
                        File.Copy(System.IO.Path.Combine(tokenizerSourceFolder, name), System.IO.Path.Combine(temporary, name));
            addFiles?.Invoke(temporary);
        });
    }

    public void Dispose() => Weights.Dispose();
}
