using Paddock.Data;
using Paddock.Studies.Stages;

namespace Paddock.Tests.Stages;

public class SftTurnsTests
{
    [Fact]
    public void Every_assistant_turn_becomes_a_demonstration()
    {
        Demonstration talk = new(new Prompt("t", [new("user", "a"), new("assistant", "b"), new("user", "c"), new("assistant", "d"), new("user", "e")]), new Response("f"));
        Demonstration[] turns = [.. SftStage.Turns(talk)];
        Assert.Equal(["b", "d", "f"], turns.Select(t => t.Response.Text));
        Assert.Equal([1, 3, 5], turns.Select(t => t.Prompt.Messages.Count));
        Assert.Distinct(turns.Select(t => t.Prompt.Id));
        Demonstration single = talk with { Prompt = new Prompt("s", [new("user", "a")]) };
        Assert.Equal([single], SftStage.Turns(single));
    }
}
