using Paddock.Data;
using Paddock.Engine;
using Paddock.Worlds;

namespace Paddock.Tests.Worlds;

public sealed class MeadowExhibitTests
{
    [Fact]
    public async Task Contributions_add_up_to_the_utility_and_votes_are_the_panels()
    {
        MeadowWorld world = new();
        MeadowExhibit exhibit = await MeadowExhibit.OfAsync(world, "evaluation", 30, 1);
        Assert.Equal((805, 30), (exhibit.Prompts, exhibit.Shown.Count));
        foreach (MeadowShown shown in exhibit.Shown)
        {
            foreach (MeadowShownAnswer answer in (MeadowShownAnswer[])[shown.First, shown.Second])
            {
                Assert.Equal(answer.Utility, answer.Contributions.Sum(c => c.Contribution), 12);
                Assert.DoesNotContain(answer.Contributions, c => c.Value == 0);
                Assert.Equal(answer.Utility, MeadowFeatures.Of(MeadowTask.Parse(shown.Instruction)!, new Response(answer.Text)).Utility);
            }
            Assert.Equal(["gold", "human", "pool", "judge"], shown.Votes.Select(v => v.Panel));
            Comparison comparison = new(shown.Id, Prompt.FromInstruction(shown.Id, shown.Instruction), new(shown.First.Text), new(shown.Second.Text));
            foreach (MeadowVote vote in shown.Votes)
                Assert.Equal(vote.FirstPreferred, (await world.Annotator(vote.Panel, new(1, true)).CompareAsync([comparison], default))[0].FirstPreferred);
        }
        Assert.Contains(exhibit.Shown, s => s.First.Text != s.Second.Text);
    }

    [Fact]
    public async Task It_shows_no_more_prompts_than_there_are() =>
        Assert.Equal(8, (await MeadowExhibit.OfAsync(new MeadowWorld(MeadowOptions.Scaled(.01)), "evaluation", 100, 1)).Shown.Count);

    [Fact]
    public async Task Nothing_to_show_is_refused() => Assert.Equal("cannot show 0 prompts; give a number of at least 1",
        (await Assert.ThrowsAsync<BadInputException>(() => MeadowExhibit.OfAsync(new MeadowWorld(), "evaluation", 0, 1))).Message);
}
