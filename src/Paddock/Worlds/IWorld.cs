using Paddock.Data;

namespace Paddock.Worlds;

/// <param name="Seed">Seeds the annotator's draws; the verdict of a comparison is a pure function of it and the comparison's id.</param>
/// <param name="Expected">True: the exact expectation over raters, misreads and orders (evaluation); false: one sampled label (training).</param>
/// <param name="Flip">Probability that a sampled label is turned around (AlpacaFarm: .25 for training labels).</param>
public sealed record AnnotatorOptions(ulong Seed, bool Expected, double Flip = 0);

/// <summary>Where a study's prompts, demonstrations, references and simulated annotators come from.</summary>
public interface IWorld
{
    string Name { get; }

    /// <summary>Changes whenever any split or annotator would; part of every stage key.</summary>
    string Fingerprint { get; }

    IReadOnlyList<string> Splits { get; }

    /// <summary>What a split has; it must be one of <see cref="Splits"/>.</summary>
    SplitContent Holds(string split);

    /// <summary>The prompts of a split, always the same.</summary>
    IReadOnlyList<Prompt> Prompts(string split);

    /// <summary>Prompts with answers to learn from; an error that names the splits which have them when this one has none.</summary>
    IReadOnlyList<Demonstration> Demonstrations(string split);

    /// <summary>The reference system's answers, in the order of <see cref="Prompts"/>; an error when the split has none.</summary>
    IReadOnlyList<Response> References(string split);

    /// <summary>Pairs with a preference of their own (people's, or a file's); an error when the split has none.</summary>
    IReadOnlyList<Preference> Preferences(string split);

    /// <summary>Rows of a split that <see cref="Preferences"/> leaves out because nothing can be learned from them: where they stand and why.</summary>
    IReadOnlyList<string> Unusable(string split) => [];

    /// <summary>Tokens that an answer may have unless a recipe says otherwise.</summary>
    int MaxResponseTokens { get; }

    /// <summary>What the world itself knows of an answer, by name; NaN where a measure does not apply to the prompt. Empty when it knows nothing.</summary>
    IReadOnlyDictionary<string, double> Measure(Prompt prompt, Response response);

    /// <summary>Names that <see cref="Annotator"/> takes.</summary>
    IReadOnlyList<string> Annotators { get; }

    IAnnotator Annotator(string name, AnnotatorOptions options);
}
