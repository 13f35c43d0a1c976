using Paddock.Data;
using Paddock.Engine.Numerics;
using Paddock.Worlds;

namespace Paddock.Tests.Worlds;

public sealed class MeadowSkillsTests
{
    [Fact]
    public async Task A_perfect_student_is_exact_at_every_kind()
    {
        MeadowSkillTable table = await MeadowSkills.ExamineAsync(Answer(_ => true), 20, 1);
        Assert.Equal(MeadowKinds.Names, table.Kinds.Select(k => k.Kind));
        Assert.All(table.Kinds, k => Assert.Equal((20, 1.0, 0.0, 0.0), (k.Asked, k.Exact, k.StandardError, k.Unfinished)));
        Assert.Equal((240, 1.0), (table.Overall.Asked, Math.Round(table.Overall.Exact, 12)));
    }

    [Fact]
    public async Task One_lost_kind_costs_its_frequency()
    {
        // spelling is asked in 6 % of the prompts
        MeadowSkillTable table = await MeadowSkills.ExamineAsync(Answer(task => task.Kind != MeadowKind.Spell), 20, 1);
        Assert.Equal(0, table.Kinds[(int)MeadowKind.Spell].Exact);
        Assert.Equal(.94, table.Overall.Exact, 12);
    }

    [Fact]
    public async Task The_standard_error_is_that_of_the_stratified_mean()
    {
        int asked = 0;
        MeadowSkillTable table = await MeadowSkills.ExamineAsync(Answer(_ => asked++ % 2 == 0), 10, 1);
        Assert.All(table.Kinds, k => Assert.Equal(Math.Sqrt(.25 / 10), k.StandardError, 12));
        Assert.Equal(Math.Sqrt(.025 * MeadowKinds.Probabilities.Sum(p => p * p)), table.Overall.StandardError, 12);
    }

    [Fact]
    public async Task A_byline_stands_before_every_prompt_and_changes_nothing_else()
    {
        List<string> plain = [], signed = [];
        await MeadowSkills.ExamineAsync(Record(plain), 3, 5);
        await MeadowSkills.ExamineAsync(Record(signed), 3, 5, MeadowAuthor.Named("expert"));
        Assert.Equal(plain.Select(p => "<by_expert> " + p), signed);
    }

    [Fact]
    public async Task An_unfinished_answer_is_counted()
    {
        MeadowSkillTable table = await MeadowSkills.ExamineAsync(
            (prompts, _) => Task.FromResult<IReadOnlyList<Response>>([.. prompts.Select(_ => new Response("a", false))]), 2, 1);
        Assert.Equal((1.0, 0.0), (table.Overall.Unfinished, table.Overall.Exact));
    }

    [Fact]
    public async Task A_missing_answer_is_an_error() => await Assert.ThrowsAsync<InvalidOperationException>(() =>
        MeadowSkills.ExamineAsync((_, _) => Task.FromResult<IReadOnlyList<Response>>([]), 2, 1));

    private static Func<IReadOnlyList<Prompt>, CancellationToken, Task<IReadOnlyList<Response>>> Answer(Func<MeadowTask, bool> right) => (prompts, _) =>
    {
        RandomStream stream = new(1, "test/student");
        Response[] answers = new Response[prompts.Count];
        for (int i = 0; i < answers.Length; i++)
        {
            MeadowTask task = MeadowTask.Parse(prompts[i].Instruction)!;
            answers[i] = new(right(task) ? string.Join(' ', MeadowDemonstrator.RightPayload(task, ref stream)) : "maybe");
        }
        return Task.FromResult<IReadOnlyList<Response>>(answers);
    };

    private static Func<IReadOnlyList<Prompt>, CancellationToken, Task<IReadOnlyList<Response>>> Record(List<string> asked) => (prompts, _) =>
    {
        asked.AddRange(prompts.Select(p => p.Instruction));
        return Task.FromResult<IReadOnlyList<Response>>([.. prompts.Select(_ => new Response("a"))]);
    };
}
