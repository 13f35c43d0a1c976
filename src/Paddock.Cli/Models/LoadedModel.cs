using Paddock.Backends.Embedded;
using Paddock.Engine.Checkpoints;
using Paddock.Engine.Sampling;
using Paddock.Engine.Tokenizers;

namespace Paddock.Cli.Models;

/// <summary>A model that is open for sampling and scoring, its weights as its file stores them; the tokenizer is opened when first asked for.</summary>
internal sealed class LoadedModel : IDisposable
{
    private readonly ModelFiles _files;
    private readonly ModelLibrary _library;
    private readonly Lazy<Tokenizer> _tokenizer;

    private LoadedModel(ModelFiles files, ModelLibrary library, BatchSampler sampler)
    {
        (_files, _library, Sampler) = (files, library, sampler);
        _tokenizer = new(() => ModelLibrary.OpenTokenizer(files));
    }

    public BatchSampler Sampler { get; }

    public string Place => _files.Place;

    /// <summary>Its tokenizer alone: a model without an end token or a template has one too.</summary>
    public Tokenizer Tokenizer => _tokenizer.Value;

    /// <summary>Its tokenizer with its chat template and the tokens that end an answer.</summary>
    public EngineCodec Codec => _library.OpenEngineCodec(Place);

    public static LoadedModel Open(FrontDoor door, string model, SamplerSettings? settings = null)
    {
        ModelFiles files = door.Models.Find(door.ModelOf(model));
        using IWeightSource source = files.OpenWeights();
        // packed 4- and 8-bit blocks and bfloat16 are computed from as they lie: fewer bytes to stream, the same numbers
        using SamplerWeights weights = SamplerWeights.Load(files.Config, source);
        return new(files, door.Models, new BatchSampler(weights, door.Pool, settings));
    }

    public void Dispose() => Sampler.Dispose();
}
