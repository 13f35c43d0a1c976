using Paddock.Data;
using Paddock.Engine.Numerics;

namespace Paddock.Worlds;

/// <param name="Exact">Share of answers that are wholly right.</param>
/// <param name="StandardError">Of <paramref name="Exact"/>.</param>
/// <param name="Utility">Mean gold utility.</param>
/// <param name="Unfinished">Share of answers cut off before their end token.</param>
public sealed record MeadowSkill(string Kind, int Asked, double Exact, double StandardError, double Utility, double Unfinished);

/// <summary>What a model can do, by kind, and over the kinds as often as they are asked.</summary>
public sealed record MeadowSkillTable(IReadOnlyList<MeadowSkill> Kinds, MeadowSkill Overall);

/// <summary>The exam of a base model: fresh instructions of every kind, answered greedily by whoever takes it.</summary>
public static class MeadowSkills
{
    /// <param name="answer">Answers the prompts, in order; greedy decoding makes the table comparable.</param>
    /// <param name="perKind">Instructions of each kind.</param>
    /// <param name="author">Signs every prompt with this author's byline; null for none.</param>
    public static async Task<MeadowSkillTable> ExamineAsync(Func<IReadOnlyList<Prompt>, CancellationToken, Task<IReadOnlyList<Response>>> answer,
        int perKind, ulong seed, MeadowAuthor? author = null, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(perKind);
        (MeadowTask[] tasks, Prompt[] prompts) = Questions(perKind, seed, author);
        IReadOnlyList<Response> answers = await answer(prompts, cancellation);
        if (answers.Count != prompts.Length)
            throw new InvalidOperationException($"the exam asked {prompts.Length} questions and got {answers.Count} answers");

        MeadowSkill[] rows = new MeadowSkill[MeadowKinds.All.Count];
        for (int kind = 0; kind < rows.Length; kind++)
            rows[kind] = Mark(MeadowKinds.Names[kind], tasks.AsSpan(kind * perKind, perKind), answers, kind * perKind);
        return new(rows, Overall(rows));
    }

    private static (MeadowTask[], Prompt[]) Questions(int perKind, ulong seed, MeadowAuthor? author)
    {
        RandomStream stream = new(seed, "meadow/skills");
        int n = MeadowKinds.All.Count * perKind;
        MeadowTask[] tasks = new MeadowTask[n];
        Prompt[] prompts = new Prompt[n];
        for (int i = 0; i < n; i++)
        {
            RandomStream own = stream.Split((ulong)i);
            tasks[i] = MeadowTask.Draw(ref own, MeadowKinds.All[i / perKind]);
            prompts[i] = Prompt.FromInstruction($"skills/{i:D4}", author is null ? tasks[i].Instruction : $"{author.Byline} {tasks[i].Instruction}");
        }
        return (tasks, prompts);
    }

    private static MeadowSkill Mark(string kind, ReadOnlySpan<MeadowTask> tasks, IReadOnlyList<Response> answers, int first)
    {
        int n = tasks.Length, exact = 0, unfinished = 0;
        double utility = 0;
        for (int i = 0; i < n; i++)
        {
            MeadowFeatures features = MeadowFeatures.Of(tasks[i], answers[first + i]);
            exact += features.Exact ? 1 : 0;
            unfinished += features[MeadowFeature.Truncated] > 0 ? 1 : 0;
            utility += features.Utility;
        }
        double p = (double)exact / n;
        return new(kind, n, p, Math.Sqrt(p * (1 - p) / n), utility / n, (double)unfinished / n);
    }

    // a stratified mean: each kind counts as often as the world asks it
    private static MeadowSkill Overall(MeadowSkill[] rows)
    {
        double Mean(Func<MeadowSkill, double> of) => rows.Select((row, k) => MeadowKinds.Probabilities[k] * of(row)).Sum();
        double variance = rows.Select((row, k) => Math.Pow(MeadowKinds.Probabilities[k] * row.StandardError, 2)).Sum();
        return new("all", rows.Sum(r => r.Asked), Mean(r => r.Exact), Math.Sqrt(variance), Mean(r => r.Utility), Mean(r => r.Unfinished));
    }
}
