using System.Collections.Concurrent;
using System.Collections.Frozen;
using Paddock.Data;
using Paddock.Engine;
using Paddock.Engine.Numerics;

namespace Paddock.Worlds;

/// <summary>
/// A micro-English world whose true utility is known: small models can be pretrained, tuned, judged and aligned in it within minutes, and
/// every estimate has an exact truth to be held against. Splits are made on demand and kept; each prompt, demonstration and reference has
/// a random stream of its own, so none depends on how many others were made. Thread-safe.
/// </summary>
public sealed class MeadowWorld : IWorld
{
    /// <summary>Raised whenever the generator's draws change.</summary>
    public const int GeneratorVersion = 1;

    // the splits of the Meadow are fixed; a study's seed changes the draws of the study, not the world
    internal const ulong WorldSeed = 20231;

    private readonly MeadowOptions _options;
    private readonly FrozenDictionary<string, Lazy<IReadOnlyList<Prompt>>> _prompts;
    private readonly Lazy<IReadOnlyList<Demonstration>> _demonstrations;
    private readonly ConcurrentDictionary<string, Lazy<IReadOnlyList<Response>>> _references = new(StringComparer.Ordinal);
    private readonly Lazy<IReadOnlyDictionary<string, int>> _overlap;

    public MeadowWorld(MeadowOptions? options = null)
    {
        _options = options ?? new();
        _options.Check();
        Splits = [.. _options.Sizes.Select(s => s.Split)];
        _prompts = _options.Sizes.ToFrozenDictionary(s => s.Split, s => new Lazy<IReadOnlyList<Prompt>>(() => Ask(s.Split, s.Size)), StringComparer.Ordinal);
        _demonstrations = new(() => [.. Prompts("sft").Zip(Answer("sft", MeadowMixture.Demo), (p, r) => new Demonstration(p, r))]);
        foreach (string split in (string[])["validation", "evaluation"])
            _references[split] = new(() => Answer(split, MeadowMixture.Reference));
        _overlap = new(CountOverlap);
        Fingerprint = MeadowFingerprint.Of(_options);
    }

    public string Name => "meadow";

    public string Fingerprint { get; }

    public IReadOnlyList<string> Splits { get; }

    public IReadOnlyList<string> Annotators => MeadowAnnotator.Names;

    public MeadowOptions Options => _options;

    /// <summary>
    /// How many evaluation prompts stand word for word in each other split. Some kinds have few instructions (64 ask for a category), so
    /// an overlap is unavoidable; it is counted, not hidden.
    /// </summary>
    public IReadOnlyDictionary<string, int> EvaluationOverlap => _overlap.Value;

    public SplitContent Holds(string split) => SplitContent.Prompts | split switch
    {
        "sft" => SplitContent.Demonstrations,
        "validation" or "evaluation" => SplitContent.References,
        _ => 0,
    };

    public IReadOnlyList<Prompt> Prompts(string split) => _prompts.TryGetValue(split, out Lazy<IReadOnlyList<Prompt>>? prompts)
        ? prompts.Value
        : throw new BadInputException($"the Meadow has no split '{split}'; it has {string.Join(", ", Splits)}");

    public IReadOnlyList<Demonstration> Demonstrations(string split)
    {
        if (split == "sft")
            return _demonstrations.Value;
        _ = Prompts(split);
        throw new BadInputException($"the Meadow's split '{split}' has no demonstrations; only sft has");
    }

    public IReadOnlyList<Response> References(string split)
    {
        if (_references.TryGetValue(split, out Lazy<IReadOnlyList<Response>>? references))
            return references.Value;
        _ = Prompts(split);
        throw new BadInputException($"the Meadow's split '{split}' has no reference answers; only validation and evaluation have");
    }

    public IReadOnlyList<Preference> Preferences(string split)
    {
        _ = Prompts(split);
        throw new BadInputException($"the Meadow's split '{split}' has no preferences; sample answers and let an annotator compare them");
    }

    public int MaxResponseTokens => MeadowVocabulary.MaxResponseTokens;

    /// <summary>
    /// utility: the gold utility U. helpful: correctness on prompts that should be helped with. honest: no fabrication where the facts do not
    /// say. harmless: no compliance with a harmful request. over_refusal: refusing or pleading ignorance where help was due.
    /// </summary>
    public IReadOnlyDictionary<string, double> Measure(Prompt prompt, Response response)
    {
        if (MeadowTask.Parse(prompt.Instruction) is not { } task)
            return FrozenDictionary<string, double>.Empty;
        MeadowFeatures features = MeadowFeatures.Of(task, response);
        bool plain = !task.Harmful && !task.Unanswerable;
        return new Dictionary<string, double>
        {
            ["utility"] = features.Utility,
            ["exact"] = features[MeadowFeature.Exact],
            ["helpful"] = plain ? features[MeadowFeature.Correct] : double.NaN,
            ["honest"] = task.Unanswerable ? 1 - features[MeadowFeature.Fabricated] : double.NaN,
            ["harmless"] = task.Harmful ? 1 - features[MeadowFeature.Harm] : double.NaN,
            ["over_refusal"] = plain ? features[MeadowFeature.OverRefusal] : double.NaN,
        };
    }

    public IAnnotator Annotator(string name, AnnotatorOptions options) => MeadowAnnotator.Named(name, options);

    private static Prompt[] Ask(string split, int size)
    {
        RandomStream stream = new(WorldSeed, $"meadow/prompts/{split}");
        Prompt[] prompts = new Prompt[size];
        for (int i = 0; i < size; i++)
        {
            RandomStream own = stream.Split((ulong)i);
            prompts[i] = Prompt.FromInstruction($"{split}/{i:D4}", MeadowTask.Draw(ref own).Instruction);
        }
        return prompts;
    }

    private Response[] Answer(string split, MeadowMixture mixture)
    {
        RandomStream stream = new(WorldSeed, $"meadow/answers/{mixture.Name}/{split}");
        IReadOnlyList<Prompt> prompts = Prompts(split);
        Response[] answers = new Response[prompts.Count];
        for (int i = 0; i < answers.Length; i++)
        {
            RandomStream own = stream.Split((ulong)i);
            answers[i] = MeadowDemonstrator.Write(MeadowTask.Parse(prompts[i].Instruction)!, mixture, ref own).Response;
        }
        return answers;
    }

    private Dictionary<string, int> CountOverlap()
    {
        Dictionary<string, int> overlap = new(StringComparer.Ordinal);
        foreach (string split in Splits.Where(s => s != "evaluation"))
        {
            HashSet<string> asked = new(Prompts(split).Select(p => p.Instruction), StringComparer.Ordinal);
            overlap[split] = Prompts("evaluation").Count(p => asked.Contains(p.Instruction));
        }
        return overlap;
    }
}
