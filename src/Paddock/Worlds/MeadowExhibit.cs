using Paddock.Data;
using Paddock.Engine;
using Paddock.Engine.Numerics;

namespace Paddock.Worlds;

/// <param name="Contribution">What the feature adds to the gold utility: its weight times its value.</param>
public sealed record MeadowContribution(string Feature, double Value, double Contribution);

/// <param name="Contributions">The features that are not zero, in order.</param>
public sealed record MeadowShownAnswer(string Text, string Author, double Utility, IReadOnlyList<MeadowContribution> Contributions);

/// <param name="FirstPreferred">Share of the panel's votes for the first answer, exactly.</param>
public sealed record MeadowVote(string Panel, double FirstPreferred);

public sealed record MeadowShown(string Id, string Kind, string Instruction, bool Harmful, bool Unanswerable, string Gold,
    MeadowShownAnswer First, MeadowShownAnswer Second, IReadOnlyList<MeadowVote> Votes);

/// <summary>The world to look at: a few prompts, two people's answers to each, what the answers are worth and how the panels vote.</summary>
public sealed record MeadowExhibit(string Split, int Prompts, IReadOnlyDictionary<string, int> EvaluationOverlap, IReadOnlyList<MeadowShown> Shown)
{
    private static readonly string[] Panels = ["gold", "human", "pool", "judge"];

    /// <param name="split">Whose prompts are shown, from the first on.</param>
    /// <param name="count">How many; fewer when the split has fewer.</param>
    /// <param name="seed">Seeds the two answers, both drawn from the demonstrations' authors.</param>
    public static async Task<MeadowExhibit> OfAsync(MeadowWorld world, string split, int count, ulong seed, CancellationToken cancellation = default)
    {
        if (count < 1)
            throw new BadInputException($"cannot show {count} prompts; give a number of at least 1");
        IReadOnlyList<Prompt> prompts = world.Prompts(split);
        RandomStream stream = new(seed, $"meadow/exhibit/{split}");
        List<Comparison> comparisons = [];
        List<(MeadowTask Task, MeadowAnswer First, MeadowAnswer Second)> answered = [];
        for (int i = 0; i < Math.Min(count, prompts.Count); i++)
        {
            RandomStream own = stream.Split((ulong)i);
            MeadowTask task = MeadowTask.Parse(prompts[i].Instruction)!;
            MeadowAnswer first = MeadowDemonstrator.Write(task, MeadowMixture.Demo, ref own), second = first;
            // two equal answers show nothing; a short task may have few different ones
            for (int tries = 0; tries < 20 && second.Response == first.Response; tries++)
                second = MeadowDemonstrator.Write(task, MeadowMixture.Demo, ref own);
            answered.Add((task, first, second));
            comparisons.Add(new Comparison(prompts[i].Id, prompts[i], first.Response, second.Response));
        }

        List<MeadowVote>[] votes = [.. answered.Select(_ => new List<MeadowVote>())];
        foreach (string panel in Panels)
        {
            IReadOnlyList<Verdict> verdicts = await world.Annotator(panel, new AnnotatorOptions(seed, Expected: true)).CompareAsync(comparisons, cancellation);
            for (int i = 0; i < votes.Length; i++)
                votes[i].Add(new(panel, verdicts[i].FirstPreferred!.Value));
        }

        MeadowShown[] shown = [.. answered.Select((a, i) => new MeadowShown(prompts[i].Id, a.Task.Kind.Name(), a.Task.Instruction, a.Task.Harmful,
            a.Task.Unanswerable, GoldText(a.Task), Show(a.Task, a.First), Show(a.Task, a.Second), votes[i]))];
        return new(split, prompts.Count, world.EvaluationOverlap, shown);
    }

    private static MeadowShownAnswer Show(MeadowTask task, MeadowAnswer answer)
    {
        MeadowFeatures features = MeadowFeatures.Of(task, answer.Response);
        List<MeadowContribution> contributions = [];
        for (int i = 0; i < MeadowFeatures.Count; i++)
            if (features.Values[i] != 0)
                contributions.Add(new(MeadowFeatures.Names[i], features.Values[i], features.Values[i] * MeadowWeights.Gold[i]));
        return new(answer.Response.Text, answer.Author.Name, features.Utility, contributions);
    }

    private static string GoldText(MeadowTask task) =>
        task.Kind == MeadowKind.List ? $"any {task.K} of: {string.Join(' ', MeadowLexicon.Members[task.CategoryIndex])}" : string.Join(' ', task.Gold);
}
