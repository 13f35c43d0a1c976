using Paddock.Engine;
using Paddock.Engine.Numerics;

namespace Paddock.Evaluation.Benchmarks;

/// <param name="Rating">On the Elo scale, percentile interval over prompts.</param>
/// <param name="WinRate">Share of its points, over all its battles; depends on whom it met.</param>
public sealed record LeaderboardEntry(string Name, int Rank, int RankLow, int RankHigh, Interval Rating, double WinRate, int Battles);

/// <param name="Effect">What one standard deviation of the feature adds to the logit of winning.</param>
public sealed record StyleEntry(string Feature, Interval Effect);

/// <summary>Systems ranked by Bradley-Terry from their verdicts.</summary>
/// <param name="Missing">Rows without a verdict, left out.</param>
/// <param name="Disconnected">Resamples that needed a ridge, see <see cref="Ranking"/>.</param>
public sealed record Leaderboard(IReadOnlyList<LeaderboardEntry> Entries, IReadOnlyList<StyleEntry> Style, double Tie, int Prompts, int Battles, int Missing, int Disconnected, int Resamples)
{
    /// <param name="anchor">The system whose rating is <paramref name="offset"/>; null puts the mean of all there.</param>
    /// <param name="controlStyle">Compares answers of equal length and markup; every row must have both texts.</param>
    public static Leaderboard Of(IReadOnlyList<ComparedRow> rows, RandomStream stream, TieModel ties = TieModel.Half, double ridge = 0, string? anchor = null, double offset = 1000,
        bool controlStyle = false, int resamples = 1000)
    {
        SortedDictionary<string, int> players = new(StringComparer.Ordinal);
        foreach (ComparedRow row in rows)
        {
            if (row.First == null || row.Second == null)
                throw new BadInputException($"item '{Data.Formats.Row.Short(row.Item)}': names {(row.First == null ? "no system" : $"nothing that '{row.First}' is compared with")}; a leaderboard needs both (system and against, generator_1 and generator_2, or model_a and model_b)");
            players[row.First] = players[row.Second] = 0;
        }
        string[] names = [.. players.Keys];
        for (int i = 0; i < names.Length; i++)
            players[names[i]] = i;
        if (names.Length < 2)
            throw new BadInputException("a leaderboard needs at least two systems");
        if (anchor != null && !players.ContainsKey(anchor))
            throw new BadInputException($"--anchor: no system '{anchor}'; systems: {string.Join(", ", names.Take(20))}");
        Dictionary<string, int> prompts = new(StringComparer.Ordinal);
        List<Battle> battles = [];
        foreach (ComparedRow row in rows)
            if (row.Score is { } score && row.First != row.Second)
            {
                if (!prompts.TryGetValue(row.Item, out int prompt))
                    prompts[row.Item] = prompt = prompts.Count;
                if (controlStyle && (row.FirstText == null || row.SecondText == null))
                    throw new BadInputException($"item '{Data.Formats.Row.Short(row.Item)}': has no answers, so their style cannot be compared; leave out --style, or give rows with output_1 and output_2");
                battles.Add(new(players[row.First!], players[row.Second!], score, prompt, row.Weight, controlStyle ? StyleFeatures.Of(row.FirstText!, row.SecondText!) : null));
            }
        if (battles.Count == 0)
            throw new BadInputException("no row has a verdict");
        if (ties != TieModel.Half && battles.Exists(battle => battle.Score is not (0 or 0.5 or 1)))
            throw new BadInputException($"--ties {ties}: some verdicts are probabilities, of which no model of ties knows; let ties count half");
        int[] kept = [];
        IReadOnlyList<Battle> used = battles;
        if (controlStyle)
            (used, kept) = StyleFeatures.Scaled(battles);
        RankingResult result = Ranking.Of(used, names.Length, new(ties, ridge, anchor == null ? null : players[anchor]), stream, resamples);
        double[] points = new double[names.Length], weights = new double[names.Length];
        int[] counts = new int[names.Length];
        foreach (Battle battle in battles)
        {
            points[battle.First] += battle.Weight * battle.Score;
            points[battle.Second] += battle.Weight * (1 - battle.Score);
            foreach (int player in (ReadOnlySpan<int>)[battle.First, battle.Second])
                (weights[player], counts[player]) = (weights[player] + battle.Weight, counts[player] + 1);
        }
        return new([.. result.Players.Select(p => new LeaderboardEntry(names[p.Player], p.Rank, p.RankLow, p.RankHigh, Elo.OfStrength(p.Strength, offset), points[p.Player] / weights[p.Player], counts[p.Player]))],
            [.. kept.Select((feature, k) => new StyleEntry(StyleFeatures.Names[feature], result.Fit.StyleEffect(k)))], result.Fit.Tie, prompts.Count, battles.Count,
            rows.Count - battles.Count, result.Disconnected, resamples);
    }
}
