using Paddock.Data;
using Paddock.Engine;
using Paddock.Engine.Numerics;

namespace Paddock.Worlds;

/// <summary>
/// Simulated annotators of the Meadow. In expected mode a verdict is the exact probability (flips included), in sampled mode the label of
/// one rater drawn for the comparison. Both answers are put in an order of their own first, so swapping them swaps the verdict exactly,
/// and identical answers tie.
/// </summary>
internal sealed class MeadowAnnotator : IAnnotator
{
    private readonly IMeadowPreference _preference;
    private readonly AnnotatorOptions _options;

    private MeadowAnnotator(string name, IMeadowPreference preference, AnnotatorOptions options) => (Name, _preference, _options) = (name, preference, options);

    private static readonly Dictionary<string, IMeadowPreference> Preferences = Build();

    /// <summary>Names that <see cref="Named"/> takes: gold, the panels, the judge, then single raters.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Preferences.Keys];

    public string Name { get; }

    public static MeadowAnnotator Named(string name, AnnotatorOptions options)
    {
        if (!Preferences.TryGetValue(name, out IMeadowPreference? preference))
            throw new BadInputException($"the Meadow has no annotator '{name}'; it has {string.Join(", ", Names)}");
        if (options.Flip is not (>= 0 and <= 1))
            throw new BadInputException($"annotator '{name}': flip {options.Flip} is not a probability; give a number from 0 to 1");
        return new(name, preference, options);
    }

    public Task<IReadOnlyList<Verdict>> CompareAsync(IReadOnlyList<Comparison> comparisons, CancellationToken cancellation)
    {
        Verdict[] verdicts = new Verdict[comparisons.Count];
        for (int i = 0; i < verdicts.Length; i++)
        {
            if (i % 256 == 0 && cancellation.IsCancellationRequested)
                return Task.FromCanceled<IReadOnlyList<Verdict>>(cancellation);
            verdicts[i] = Compare(comparisons[i]);
        }
        return Task.FromResult<IReadOnlyList<Verdict>>(verdicts);
    }

    private Verdict Compare(Comparison comparison)
    {
        if (!MeadowTask.TryParse(comparison.Prompt.Instruction, out MeadowTask? task))
            return Verdict.Missing($"not a Meadow instruction: {Shortened(comparison.Prompt.Instruction)}");
        int order = Order(comparison.First, comparison.Second);
        if (order == 0)
            return Verdict.Tie;
        (Response a, Response b) = order < 0 ? (comparison.First, comparison.Second) : (comparison.Second, comparison.First);
        MeadowFeatures of = MeadowFeatures.Of(task, a), versus = MeadowFeatures.Of(task, b);
        Span<double> delta = stackalloc double[MeadowFeatures.Count];
        for (int i = 0; i < delta.Length; i++)
            delta[i] = of.Values[i] - versus.Values[i];
        double p = Math.Clamp(_options.Expected ? Expect(delta) : Draw(delta, comparison.Id), 0, 1);
        return Verdict.Of(order < 0 ? p : 1 - p);
    }

    private double Expect(ReadOnlySpan<double> delta)
    {
        double p = _preference.Expected(delta);
        return p + _options.Flip * (1 - 2 * p);
    }

    private double Draw(ReadOnlySpan<double> delta, string id)
    {
        RandomStream stream = new(_options.Seed, $"meadow/annotator/{Name}/{id}");
        double label = _preference.Sample(delta, ref stream);
        return stream.Chance(_options.Flip) ? 1 - label : label;
    }

    private static int Order(Response a, Response b)
    {
        int order = string.CompareOrdinal(a.Text, b.Text);
        return order != 0 ? order : a.Finished.CompareTo(b.Finished);
    }

    private static string Shortened(string text) => text.Length <= 80 ? text : text[..77] + "...";

    private static Dictionary<string, IMeadowPreference> Build()
    {
        Dictionary<string, IMeadowPreference> all = new(StringComparer.Ordinal)
        {
            ["gold"] = new MeadowGoldPreference(),
            ["human"] = new MeadowPanel(MeadowRaters.Human),
            ["pool"] = new MeadowPanel(MeadowRaters.Pool),
            ["judge"] = new MeadowPanel(MeadowRaters.Judge),
        };
        foreach (MeadowRater rater in MeadowRaters.Human.Concat(MeadowRaters.Pool))
            all[rater.Name] = new MeadowPanel(rater);
        return all;
    }
}
