using System.Collections.Concurrent;
using Paddock.Data;
using Paddock.Engine;
using Paddock.Engine.Checkpoints;
using Paddock.Engine.Models;
using Paddock.Engine.Tokenizers;

namespace Paddock.Backends.Embedded;

/// <summary>Finds models by what users write, and opens their weights, tokenizers and codecs. Thread-safe.</summary>
/// <param name="searchFolders">Where named models lie: those shipped with the program, for one.</param>
public sealed class ModelLibrary(IReadOnlyList<string> searchFolders)
{
    private readonly ConcurrentDictionary<string, Lazy<EngineCodec>> _codecs = new(StringComparer.Ordinal);

    /// <summary>The model that <paramref name="model"/> names; an error that lists what was tried when there is none.</summary>
    public ModelFiles Find(string model) => ModelSource.Find(model, searchFolders);

    /// <summary>As <see cref="Find"/>, but null when there is none.</summary>
    public ModelFiles? TryFind(string model) => ModelSource.TryFind(model, searchFolders);

    /// <summary>Its weights in fp32; weights that are not numbers are an error that names the tensor.</summary>
    public ModelWeights OpenWeights(string model, HeadKind head)
    {
        ModelFiles files = Find(model);
        using IWeightSource source = files.OpenWeights();
        return ModelWeights.Load(files.Config, source, head);
    }

    /// <summary>Whether its weights end in a scalar head, as a reward model's do.</summary>
    public bool HasScalarHead(string model)
    {
        using IWeightSource source = Find(model).OpenWeights();
        return source.Tensors.ContainsKey("score.weight");
    }

    /// <summary>Its tokenizer and template.</summary>
    public ITextCodec OpenCodec(string model) => OpenEngineCodec(model);

    /// <inheritdoc cref="OpenCodec"/>
    public EngineCodec OpenEngineCodec(string model)
    {
        ModelFiles files = Find(model);
        return _codecs.GetOrAdd(files.Place, _ => new(() => new EngineCodec(OpenTokenizer(files), files.Config.EndOfSequenceIds, files.Place))).Value;
    }

    /// <summary>The tokenizer beside the weights, or the one inside a lone GGUF file.</summary>
    internal static Tokenizer OpenTokenizer(ModelFiles files)
    {
        if (files.TokenizerFolder != null)
            return Tokenizer.Load(files.TokenizerFolder);
        Paddock.Engine.Checkpoints.GgufTokenizer gguf = files.GgufTokenizer ?? throw new BadInputException($"{files.Place}: there is no tokenizer: neither tokenizer.json beside it nor one inside");
        return Tokenizer.FromGguf(gguf.Tokens, gguf.Merges, gguf.TokenTypes, gguf.Pre, new GgufSpecials(gguf.BeginOfSequenceId, gguf.EndOfSequenceId, gguf.PadId, gguf.UnknownId,
            gguf.AddBeginOfSequence, gguf.ChatTemplate));
    }
}
