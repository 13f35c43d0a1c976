using System.Security.Cryptography;
using System.Text;
using Paddock.Data;
using Paddock.Engine;
using Paddock.Worlds;

namespace Paddock.Tests.Worlds;

public sealed class MeadowWorldTests
{
    [Fact]
    public void Splits_have_their_sizes_ids_and_answers()
    {
        MeadowWorld world = new();
        Assert.Equal("meadow", world.Name);
        Assert.Equal(["sft", "preference", "unlabeled", "validation", "evaluation"], world.Splits);
        Assert.Equal([4000, 6000, 4000, 400, 805], world.Splits.Select(s => world.Prompts(s).Count));
        foreach (string split in world.Splits)
        {
            IReadOnlyList<Prompt> prompts = world.Prompts(split);
            Assert.Equal(prompts.Count, prompts.Select(p => p.Id).Distinct().Count());
            Assert.All(prompts, p => Assert.NotNull(MeadowTask.Parse(p.Instruction)));
        }
        Assert.Equal("evaluation/0017", world.Prompts("evaluation")[17].Id);
        Assert.Equal(world.Prompts("sft"), world.Demonstrations("sft").Select(d => d.Prompt));
        Assert.Equal(400, world.References("validation").Count);
        Assert.Equal(805, world.References("evaluation").Count);
        Assert.All(world.References("evaluation").Concat(world.Demonstrations("sft").Select(d => d.Response)), r => Assert.True(r.Finished && r.Tokens is null));
    }

    // the splits are part of published results: a change here must raise MeadowWorld.GeneratorVersion, and then this hash
    [Fact]
    public void The_world_is_the_same_everywhere()
    {
        MeadowWorld world = new();
        StringBuilder text = new();
        foreach (string split in world.Splits)
            foreach (Prompt prompt in world.Prompts(split))
                text.Append(prompt.Id).Append('\t').Append(prompt.Instruction).Append('\n');
        foreach (Response response in world.Demonstrations("sft").Select(d => d.Response).Concat(world.References("validation")).Concat(world.References("evaluation")))
            text.Append(response.Text).Append('\n');
        Assert.Equal("138d925658a0d3c3", Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())).AsSpan(0, 8)));
        Assert.Equal(1, MeadowWorld.GeneratorVersion);
        Assert.Equal("meadow-558c34e45da6a132", world.Fingerprint);
    }

    [Fact]
    public void A_smaller_world_is_a_prefix()
    {
        MeadowWorld full = new(), small = new(MeadowOptions.Scaled(.01)), own = new(new MeadowOptions(Sft: 7, Evaluation: 3));
        Assert.Equal([40, 60, 40, 4, 8], small.Splits.Select(s => small.Prompts(s).Count));
        foreach (string split in full.Splits)
            Assert.Equal(full.Prompts(split).Take(small.Prompts(split).Count).Select(p => p.Instruction), small.Prompts(split).Select(p => p.Instruction));
        Assert.Equal(full.References("evaluation").Take(8), small.References("evaluation"));
        Assert.Equal(full.Demonstrations("sft").Take(7).Select(d => d.Response), own.Demonstrations("sft").Select(d => d.Response));
        Assert.Equal(3, own.References("evaluation").Count);
        Assert.Equal(3, new HashSet<string>([full.Fingerprint, small.Fingerprint, own.Fingerprint]).Count);
        Assert.Equal(full.Fingerprint, new MeadowWorld(MeadowOptions.Scaled(1)).Fingerprint);
    }

    [Fact]
    public void Evaluation_prompts_met_in_other_splits_are_counted()
    {
        MeadowWorld world = new(MeadowOptions.Scaled(.2));
        Assert.Equal(["sft", "preference", "unlabeled", "validation"], world.EvaluationOverlap.Keys);
        foreach ((string split, int count) in world.EvaluationOverlap)
        {
            int byHand = world.Prompts("evaluation").Count(p => world.Prompts(split).Any(q => q.Instruction == p.Instruction));
            Assert.Equal(byHand, count);
            Assert.InRange(count, 1, 160);
        }
        // more prompts seen, more of the small kinds met
        Assert.True(world.EvaluationOverlap["validation"] < world.EvaluationOverlap["sft"] && world.EvaluationOverlap["sft"] < world.EvaluationOverlap["preference"]);
    }

    [Fact]
    public void Many_threads_see_one_world()
    {
        MeadowWorld world = new(MeadowOptions.Scaled(.1));
        IReadOnlyList<Prompt>[] seen = new IReadOnlyList<Prompt>[8];
        IReadOnlyList<Response>[] references = new IReadOnlyList<Response>[8];
        Parallel.For(0, 8, i => (seen[i], references[i]) = (world.Prompts("preference"), world.References("evaluation")));
        Assert.All(seen, s => Assert.Same(seen[0], s));
        Assert.All(references, r => Assert.Same(references[0], r));
    }

    [Fact]
    public void Annotators_are_named_by_the_world()
    {
        MeadowWorld world = new();
        Assert.Equal(4 + 16 + 13, world.Annotators.Count);
        foreach (string name in world.Annotators)
            Assert.Equal(name, world.Annotator(name, new(1, true)).Name);
    }

    [Fact]
    public void What_a_split_lacks_is_said()
    {
        MeadowWorld world = new(MeadowOptions.Scaled(.01));
        Assert.Equal("the Meadow has no split 'test'; it has sft, preference, unlabeled, validation, evaluation", Message(() => world.Prompts("test")));
        Assert.Equal("the Meadow's split 'evaluation' has no demonstrations; only sft has", Message(() => world.Demonstrations("evaluation")));
        Assert.Equal("the Meadow's split 'sft' has no reference answers; only validation and evaluation have", Message(() => world.References("sft")));
        Assert.StartsWith("the Meadow has no split 'x'", Message(() => world.Demonstrations("x")), StringComparison.Ordinal);
        Assert.StartsWith("the Meadow has no split 'x'", Message(() => world.References("x")), StringComparison.Ordinal);
    }

    [Fact]
    public void Impossible_sizes_are_refused()
    {
        Assert.Equal("the Meadow's split 'sft' cannot have -1 prompts; give 0 to 1000000", Message(() => new MeadowWorld(new MeadowOptions(Sft: -1))));
        Assert.Contains("scale 0 is out of range", Message(() => MeadowOptions.Scaled(0)), StringComparison.Ordinal);
        Assert.Contains("out of range", Message(() => MeadowOptions.Scaled(double.NaN)), StringComparison.Ordinal);
    }

    private static string Message(Func<object> act) => Assert.Throws<BadInputException>(act).Message;
}
