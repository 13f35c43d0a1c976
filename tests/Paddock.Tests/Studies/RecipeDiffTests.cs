using Paddock.Studies;

namespace Paddock.Tests.Studies;

public class RecipeDiffTests
{
    private const string First = """
        study: a
        seed: 1
        world: meadow
        stages:
          - sft:
              name: sft
              epochs: 2
          - dpo:
              name: dpo
              beta: 0.1
              losses: [sigmoid, sft]
        """;

    [Fact]
    public void Equal_recipes_do_not_differ() => Assert.Empty(RecipeDiff.Of(First, First));

    [Fact]
    public void A_setting_is_named_by_its_stage_whatever_the_place_of_the_stage()
    {
        const string Second = """
            study: a
            seed: 1
            world: meadow
            stages:
              - sample:
                  name: pairs
                  n: 2
              - sft:
                  name: sft
                  epochs: 3
              - cpo:
                  name: dpo
                  beta: 0.1
                  losses: [sigmoid]
            """;
        Assert.Equal(
        [
            new("stages.sft.epochs", "2", "3"), new("stages.dpo", "dpo", "cpo"), new("stages.dpo.losses", "sigmoid, sft", "sigmoid"), new("stages.pairs", null, "sample"), new("stages.pairs.n", null, "2"),
        ], RecipeDiff.Of(First, Second));
        Assert.Equal(new SettingDifference("stages.pairs.n", "2", null), RecipeDiff.Of(Second, First)[1]);
    }

    [Fact]
    public void Nothing_and_a_text_that_says_null_are_told_apart_from_absence() =>
        Assert.Equal([new("model", null, "null")], RecipeDiff.Of("study: a", "study: a\nmodel: null"));
}
