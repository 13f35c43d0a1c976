using System.Text.Json;
using Paddock.Engine.Adapters;
using Paddock.Engine.Models;
using Paddock.Engine.Threading;

namespace Paddock.Engine.Checkpoints;

/// <summary>
/// A LoRA adapter in the folder format of PEFT: <c>adapter_config.json</c> and <c>adapter_model.safetensors</c>. A setting that would change the
/// arithmetic and is not implemented is an error, never ignored.
/// </summary>
/// <param name="Folder">Where it lies.</param>
/// <param name="Options">Rank, alpha and targets.</param>
/// <param name="BaseModel">What the file names as the model it belongs to; null when it names none.</param>
public sealed record PeftAdapter(string Folder, LoraOptions Options, string? BaseModel)
{
    private const string ConfigFile = "adapter_config.json", WeightsFile = "adapter_model.safetensors", AllLinear = "all-linear";

    /// <summary>Whether a folder holds an adapter.</summary>
    public static bool IsIn(string folder) => File.Exists(Path.Combine(folder, ConfigFile));

    /// <summary>Reads the config; weights are read by <see cref="Apply"/>.</summary>
    /// <exception cref="BadInputException">The file is missing or damaged, or the adapter is of a kind that is not supported.</exception>
    public static PeftAdapter Read(string folder)
    {
        string file = Path.Combine(folder, ConfigFile);
        return JsonInput.ReadFile(file, root => FromJson(folder, new(root, file)));
    }

    /// <summary>The base model with these adapters on it, ready to train on. Takes the weights over, also when it fails.</summary>
    public TrainableTransformer Apply(ModelWeights weights, WorkerPool pool)
    {
        TrainableTransformer? model = null;
        try
        {
            string path = Path.Combine(Folder, WeightsFile);
            if (!File.Exists(path))
                throw new BadInputException(File.Exists(Path.Combine(Folder, "adapter_model.bin"))
                    ? $"{Folder}: the adapter is pickled (adapter_model.bin), which is not read because such files can run code; convert it to safetensors"
                    : $"{Folder}: {WeightsFile} is missing");
            using SafetensorsFile file = SafetensorsFile.Open(path);
            model = new(weights, Options, seed: 0, pool);
            model.LoadAdapters(file);
            return model;
        }
        catch
        {
            if (model == null)
                weights.Dispose();
            else
                model.Dispose();
            throw;
        }
    }

    /// <summary>The base model with the adapters folded in: W + s B A. Takes the weights over.</summary>
    public ModelWeights Merge(ModelWeights weights, WorkerPool pool)
    {
        using TrainableTransformer model = Apply(weights, pool);
        return model.MergedWeights();
    }

    /// <summary>Writes the adapters of a model as a folder that PEFT loads. It appears whole or not at all.</summary>
    /// <param name="folder">Must not exist, or be empty.</param>
    /// <param name="baseModel">Folder or hub id of the model they were trained on.</param>
    /// <exception cref="InvalidOperationException">The model has no adapters.</exception>
    public static void Save(string folder, TrainableTransformer model, string baseModel)
    {
        LoraOptions options = model.Lora ?? throw new InvalidOperationException("the model was opened without adapters");
        byte[] config = Config(options, model.AdaptedModules(), baseModel, isTransposed: model.Config.Family == "gpt2", model.Weights.Layout.Head == HeadKind.Scalar);
        WholeFile.WriteFolder(folder, temporary =>
        {
            WholeFile.Write(Path.Combine(temporary, ConfigFile), file => file.Write(config));
            SafetensorsWriter.Write(Path.Combine(temporary, WeightsFile), model.ExportAdapters(), TensorFormat.Float32);
        });
    }

    private static PeftAdapter FromJson(string folder, JsonKeys json)
    {
        string type = json.Text("peft_type") ?? throw new BadInputException($"{json.Place}: key 'peft_type' is missing; it must be LORA");
        if (type != "LORA")
            throw new BadInputException($"{json.Place}: peft_type '{JsonInput.Short(type)}' is not supported; LORA is");
        json.RequireText("bias", "none", "none");
        // fan_in_fan_out says how the base model stores its matrices, which its family knows
        foreach (string flag in (ReadOnlySpan<string>)["use_dora", "use_qalora", "use_bdlora", "lora_bias"])
            json.RequireFlag(flag, false);
        foreach (string key in (ReadOnlySpan<string>)["rank_pattern", "alpha_pattern", "layers_to_transform", "layers_pattern", "exclude_modules", "target_parameters", "trainable_token_indices",
            "alora_invocation_tokens", "layer_replication"])
            if (json.Find(key, out JsonElement value) && !IsEmpty(value))
                throw new BadInputException($"{json.Place}: {key} is not supported; only adapters that are alike in all layers are");
        if (json.Find("modules_to_save", out JsonElement saved) && !IsEmpty(saved) && json.Texts("modules_to_save") is not ["score"])
            throw new BadInputException($"{json.Place}: modules_to_save is supported for the scalar head alone, as [\"score\"]");
        LoraOptions options = new(json.RequiredInt("r"), json.Number("lora_alpha") ?? 8, Targets(json), json.Flag("use_rslora") ?? false);
        options.Check();
        return new(folder, options, json.Text("base_model_name_or_path"));
    }

    private static List<string> Targets(JsonKeys json)
    {
        if (!json.Find("target_modules", out JsonElement value))
            throw new BadInputException($"{json.Place}: key 'target_modules' is missing; it must be a list of module names");
        if (value.ValueKind == JsonValueKind.String)
            return value.GetString() == AllLinear ? [] : throw new BadInputException($"{json.Place}: target_modules is a pattern, which is not supported; give a list of module names or {AllLinear}");
        List<string> targets = json.Texts("target_modules")!;
        return targets.Count > 0 ? targets : throw new BadInputException($"{json.Place}: target_modules is empty");
    }

    private static bool IsEmpty(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Array => value.GetArrayLength() == 0,
        JsonValueKind.Object => !value.EnumerateObject().MoveNext(),
        _ => false,
    };

    private static byte[] Config(LoraOptions options, IReadOnlyList<string> modules, string baseModel, bool isTransposed, bool scalarHead)
    {
        using MemoryStream json = new();
        using (Utf8JsonWriter writer = new(json, new() { Indented = true, NewLine = "\n" }))
        {
            writer.WriteStartObject();
            writer.WriteString("base_model_name_or_path", baseModel);
            writer.WriteString("bias", "none");
            writer.WriteBoolean("fan_in_fan_out", isTransposed);
            writer.WriteBoolean("inference_mode", true);
            writer.WriteBoolean("init_lora_weights", true);
            writer.WriteNumber("lora_alpha", options.Alpha);
            writer.WriteNumber("lora_dropout", 0);
            if (scalarHead)
                WriteList(writer, "modules_to_save", ["score"]);
            else
                writer.WriteNull("modules_to_save");
            writer.WriteString("peft_type", "LORA");
            writer.WriteNumber("r", options.Rank);
            WriteList(writer, "target_modules", modules);
            writer.WriteString("task_type", scalarHead ? "SEQ_CLS" : "CAUSAL_LM");
            writer.WriteBoolean("use_dora", false);
            writer.WriteBoolean("use_rslora", options.RankStabilised);
            writer.WriteEndObject();
        }
        json.WriteByte((byte)'\n');
        return json.ToArray();
    }

    private static void WriteList(Utf8JsonWriter writer, string key, IReadOnlyList<string> texts)
    {
        writer.WriteStartArray(key);
        foreach (string text in texts)
            writer.WriteStringValue(text);
        writer.WriteEndArray();
    }
}
