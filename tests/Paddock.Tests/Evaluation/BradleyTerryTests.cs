using Paddock.Engine;
using Paddock.Engine.Numerics;
using Paddock.Evaluation;

namespace Paddock.Tests.Evaluation;

public class BradleyTerryTests
{
    private static List<Battle> Games(params (int First, int Second, int Wins, int Losses, int Ties)[] results)
    {
        List<Battle> battles = [];
        foreach ((int first, int second, int wins, int losses, int ties) in results)
            for (int i = 0; i < wins + losses + ties; i++)
                battles.Add(new(first, second, i < wins ? 1 : i < wins + losses ? 0 : 0.5, battles.Count));
        return battles;
    }

    private static readonly List<Battle> Triangle = Games((0, 1, 7, 3, 0), (0, 2, 8, 2, 0), (1, 2, 6, 4, 0));

    [Fact]
    public void Three_players_have_the_strengths_errors_and_ratings_of_the_reference()
    {
        BradleyTerryFit fit = BradleyTerry.Fit(Triangle, 3);
        double[] strengths = [0.7405699351, -0.1491022552, -0.5914676799], errors = [0.34642979, 0.31651504, 0.33373239], elo = [128.6501745168, -25.9017146751, -102.7484598418], eloErrors = [60.18101791, 54.98429366, 57.9752537];
        for (int i = 0; i < 3; i++)
        {
            Interval strength = fit.Strength(i, robust: false), rating = Elo.OfStrength(strength);
            Assert.Equal(strengths[i], strength.Mean, 1e-9);
            Assert.Equal(errors[i], strength.StandardError, 1e-8);
            Assert.Equal(elo[i], rating.Mean, 1e-7);
            Assert.Equal(eloErrors[i], rating.StandardError, 1e-6);
        }
        Assert.Equal(0, fit.Strengths.Sum(), 1e-12);
    }

    [Fact]
    public void Winning_76_of_100_is_200_points()
    {
        Assert.Equal(200.24094022767414, Elo.Difference(0.76), 1e-10);
        Assert.Equal(0.76, Elo.Probability(200.24094022767414), 1e-14);
    }

    [Fact]
    public void An_anchor_moves_every_strength_alike_and_has_no_error_of_its_own()
    {
        BradleyTerryFit free = BradleyTerry.Fit(Triangle, 3), anchored = BradleyTerry.Fit(Triangle, 3, new(Anchor: 1, AnchorStrength: 2));
        Assert.Equal(2, anchored.Strengths[1], 1e-12);
        Assert.Equal(0, anchored.Strength(1).StandardError, 1e-12);
        Assert.Equal(free.Difference(0, 2).Mean, anchored.Difference(0, 2).Mean, 1e-10);
        Assert.Equal(anchored.Difference(0, 1).StandardError, anchored.Strength(0).StandardError, 1e-12);
    }

    [Fact]
    public void Two_players_and_a_ridge_meet_the_stationary_point()
    {
        // 9 of 10: with b = (x, -x), d/dx = 2 * 10 (0.9 - s(2x)) - 2 ridge x = 0
        const double Ridge = 0.5;
        BradleyTerryFit fit = BradleyTerry.Fit(Games((0, 1, 9, 1, 0)), 2, new(Ridge: Ridge));
        double x = fit.Strengths[0];
        Assert.Equal(-x, fit.Strengths[1], 1e-12);
        Assert.Equal(0, 10 * (0.9 - ScalarMath.Sigmoid(2 * x)) - Ridge * x, 1e-9);
        Assert.InRange(2 * x, 0, Math.Log(9));
    }

    [Fact]
    public void Whoever_never_lost_needs_a_ridge()
    {
        List<Battle> sweep = Games((0, 1, 5, 0, 0), (1, 2, 3, 2, 0));
        string message = Assert.Throws<BadInputException>(() => BradleyTerry.Fit(sweep, 3)).Message;
        Assert.Contains("no finite maximum", message, StringComparison.Ordinal);
        Assert.Contains("give a ridge above 0", message, StringComparison.Ordinal);
        Assert.True(double.IsFinite(BradleyTerry.Fit(sweep, 3, new(Ridge: 0.1)).Strengths[0]));
        Assert.Contains("never lost a point to the rest", Assert.Throws<BadInputException>(() => BradleyTerry.Fit(Games((0, 1, 0, 4, 0)), 2)).Message, StringComparison.Ordinal);
        Assert.Throws<BadInputException>(() => BradleyTerry.Fit(Games((0, 1, 1, 1, 0), (2, 3, 1, 1, 0)), 4)); // two islands
    }

    [Fact]
    public void Ties_after_Davidson_between_equals_are_nu_over_two_plus_nu()
    {
        // 3 wins each and 4 ties: equal strengths, P(tie) = nu/(2 + nu) = 0.4
        BradleyTerryFit fit = BradleyTerry.Fit(Games((0, 1, 3, 3, 4)), 2, new(TieModel.Davidson));
        Assert.Equal(4.0 / 3, fit.Tie, 1e-8);
        Assert.Equal(0, fit.Strengths[0], 1e-10);
    }

    [Fact]
    public void Ties_after_Rao_and_Kupper_between_equals_give_eta()
    {
        // P(win) = s(-eta) = 0.3 on either side
        BradleyTerryFit fit = BradleyTerry.Fit(Games((0, 1, 3, 3, 4)), 2, new(TieModel.RaoKupper));
        Assert.Equal(Math.Log(7.0 / 3), fit.Tie, 1e-8);
        Assert.Equal(0, fit.Strengths[0], 1e-10);
    }

    [Theory]
    [InlineData(TieModel.Davidson)]
    [InlineData(TieModel.RaoKupper)]
    public void Two_players_with_a_tie_parameter_are_fitted_exactly(TieModel ties)
    {
        // two parameters and two free shares: the fit reproduces 5, 2 and 3 of 10
        BradleyTerryFit fit = BradleyTerry.Fit(Games((0, 1, 5, 2, 3)), 2, new(ties));
        Assert.Equal(5 * Math.Log(0.5) + 2 * Math.Log(0.2) + 3 * Math.Log(0.3), fit.LogLikelihood, 1e-8);
        double margin = fit.Strengths[0] - fit.Strengths[1];
        double won = ties == TieModel.Davidson ? 1 / (1 + Math.Exp(-margin) + fit.Tie * Math.Exp(-margin / 2)) : ScalarMath.Sigmoid(margin - fit.Tie);
        Assert.Equal(0.5, won, 1e-7);
    }

    [Theory]
    [InlineData(TieModel.Half)]
    [InlineData(TieModel.Davidson)]
    [InlineData(TieModel.RaoKupper)]
    public void Swapping_every_pair_changes_nothing(TieModel ties)
    {
        List<Battle> games = Games((0, 1, 5, 2, 3), (1, 2, 4, 4, 1), (2, 0, 1, 6, 2));
        BradleyTerryFit straight = BradleyTerry.Fit(games, 3, new(ties));
        BradleyTerryFit swapped = BradleyTerry.Fit([.. games.Select(g => g with { First = g.Second, Second = g.First, Score = 1 - g.Score })], 3, new(ties));
        Assert.Equal(straight.Tie, swapped.Tie, 1e-8);
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(straight.Strengths[i], swapped.Strengths[i], 1e-8);
            Assert.Equal(straight.Robust[i, i], swapped.Robust[i, i], 1e-8);
        }
    }

    [Fact]
    public void Without_ties_every_tie_model_is_the_plain_one()
    {
        BradleyTerryFit plain = BradleyTerry.Fit(Triangle, 3);
        foreach (TieModel ties in (TieModel[])[TieModel.Davidson, TieModel.RaoKupper])
            Assert.Equal(plain.Strengths, BradleyTerry.Fit(Triangle, 3, new(ties)).Strengths);
        Assert.Throws<BadInputException>(() => BradleyTerry.Fit(Games((0, 1, 0, 0, 5)), 2, new(TieModel.Davidson)));
        Assert.Throws<ArgumentException>(() => BradleyTerry.Fit([new Battle(0, 1, 0.7, 0)], 2, new(TieModel.Davidson)));
    }

    [Fact]
    public void Copies_of_a_battle_in_one_prompt_change_the_model_error_and_not_the_clustered_one()
    {
        List<Battle> doubled = [.. Triangle, .. Triangle];
        BradleyTerryFit once = BradleyTerry.Fit(Triangle, 3), twice = BradleyTerry.Fit(doubled, 3);
        Assert.Equal(once.Strength(0).StandardError, twice.Strength(0).StandardError, 1e-9);
        Assert.Equal(once.Strength(0, robust: false).StandardError / Math.Sqrt(2), twice.Strength(0, robust: false).StandardError, 1e-9);
        Assert.Equal(30, twice.Prompts);
    }

    [Fact]
    public void Style_takes_what_style_explains()
    {
        // the first of equals wins with s(1.5 z): strength 0, style 1.5
        RandomStream stream = new(3, "style");
        List<Battle> battles = [];
        for (int i = 0; i < 6000; i++)
        {
            double z = stream.NextGaussian();
            battles.Add(new(i % 2, 1 - i % 2, stream.NextDouble() < ScalarMath.Sigmoid(1.5 * z + (i % 2 == 0 ? 0.4 : -0.4)) ? 1 : 0, i, 1, [z]));
        }
        BradleyTerryFit fit = BradleyTerry.Fit(battles, 2);
        Assert.InRange(fit.Style[0], 1.5 - 4 * fit.StyleEffect(0).StandardError, 1.5 + 4 * fit.StyleEffect(0).StandardError);
        Assert.InRange(fit.Difference(0, 1).Mean, 0.4 - 4 * fit.Difference(0, 1).StandardError, 0.4 + 4 * fit.Difference(0, 1).StandardError);
        BradleyTerryFit swapped = BradleyTerry.Fit([.. battles.Select(b => b with { First = b.Second, Second = b.First, Score = 1 - b.Score, Style = [-b.Style![0]] })], 2);
        Assert.Equal(fit.Style[0], swapped.Style[0], 1e-8);
    }

    [Fact]
    public void Style_features_change_sign_with_the_order()
    {
        Assert.Equal(0.2, StyleFeatures.Relative(1200, 800), 1e-15);
        const string Plain = "one two three", Marked = "# Title\n- a\n- b\n1. c\n**bold** and **more**";
        Assert.Equal((1, 3, 2), StyleFeatures.Markup(Marked));
        Assert.Equal((0, 0, 0), StyleFeatures.Markup(Plain));
        double[] there = StyleFeatures.Of(Plain, Marked), back = StyleFeatures.Of(Marked, Plain);
        Assert.Equal(StyleFeatures.Names.Count, there.Length);
        for (int k = 0; k < there.Length; k++)
            Assert.Equal(-there[k], back[k], 1e-15);
        Assert.All(back, value => Assert.True(value > 0));
    }

    [Fact]
    public void A_feature_that_never_varies_is_left_out()
    {
        (Battle[] scaled, int[] kept) = StyleFeatures.Scaled([new(0, 1, 1, 0, 1, [2, 7]), new(0, 1, 0, 1, 1, [-2, 7])]);
        Assert.Equal([0], kept);
        Assert.Equal(1, scaled[0].Style![0] * Math.Sqrt(2), 1e-12); // sd of 2 and -2 is 2 root 2
    }

    [Fact]
    public void Ranks_follow_strengths_and_their_intervals_the_overlaps()
    {
        IReadOnlyList<Ranked> places = Ranking.Places([Of(1, 0.8, 1.2), Of(3, 2.5, 3.5), Of(1.1, 0.9, 1.3), Of(-2, -3, -1)]);
        Assert.Equal([1, 2, 0, 3], places.Select(p => p.Player));
        Assert.Equal([(1, 1), (2, 3), (2, 3), (4, 4)], places.Select(p => (p.RankLow, p.RankHigh)));
        Assert.Equal([1, 2, 3, 4], places.Select(p => p.Rank));

        static Interval Of(double mean, double low, double high) => new(mean, 0.1, 10, low, high, "percentile");
    }

    [Fact]
    public void A_ranking_is_reproducible_and_knows_who_is_best()
    {
        List<Battle> games = Games((0, 1, 40, 10, 0), (1, 2, 35, 15, 0), (0, 2, 45, 5, 0));
        RankingResult first = Ranking.Of(games, 3, null, new RandomStream(1, "rank"), 200), again = Ranking.Of(games, 3, null, new RandomStream(1, "rank"), 200);
        Assert.Equal(first.Players, again.Players);
        Assert.Equal([0, 1, 2], first.Players.Select(p => p.Player));
        Assert.Equal((1, 1), (first.Players[0].RankLow, first.Players[0].RankHigh));
        Assert.InRange(first.Players[0].Strength.StandardError / first.Fit.Strength(0).StandardError, 0.7, 1.4);
        Assert.Equal(0, first.Disconnected);
    }

    [Fact]
    public void A_resample_that_falls_apart_is_counted_and_rescued()
    {
        RankingResult result = Ranking.Of(Games((0, 1, 4, 1, 0)), 2, null, new RandomStream(1, "rank"), 200);
        Assert.InRange(result.Disconnected, 40, 100); // about (4/5)^5 + (1/5)^5 of 200
        Assert.All(result.Players, player => Assert.True(double.IsFinite(player.Strength.Low) && double.IsFinite(player.Strength.High)));
    }
}
