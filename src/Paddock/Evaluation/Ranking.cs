using Paddock.Engine.Numerics;

namespace Paddock.Evaluation;

/// <summary>A player's place in a ranking.</summary>
/// <param name="Strength">Bradley-Terry strength, percentile interval over prompts.</param>
/// <param name="Rank">1 for the strongest.</param>
/// <param name="RankLow">1 + number of players whose interval lies wholly above this one's.</param>
/// <param name="RankHigh">Players - number whose interval lies wholly below this one's.</param>
public sealed record Ranked(int Player, Interval Strength, int Rank, int RankLow, int RankHigh);

/// <param name="Players">Strongest first.</param>
/// <param name="Disconnected">Resamples in which some player could not be compared with the rest, refitted with a ridge of <see cref="Ranking.Rescue"/>.</param>
public sealed record RankingResult(BradleyTerryFit Fit, IReadOnlyList<Ranked> Players, int Disconnected);

/// <summary>Ranks with intervals: prompts are resampled with all their comparisons, and strengths fitted anew on each resample.</summary>
public static class Ranking
{
    /// <summary>Ridge of a resample that has no finite maximum without one.</summary>
    public const double Rescue = 0.01;

    public static RankingResult Of(IReadOnlyList<Battle> battles, int players, BradleyTerryOptions? options, RandomStream stream, int resamples = 1000)
    {
        options ??= new();
        ArgumentOutOfRangeException.ThrowIfLessThan(resamples, 2);
        BradleyTerryFit fit = BradleyTerry.Fit(battles, players, options);
        Dictionary<int, int> prompts = [];
        int[] unit = new int[battles.Count];
        for (int i = 0; i < unit.Length; i++)
        {
            if (!prompts.TryGetValue(battles[i].Prompt, out unit[i]))
                prompts[battles[i].Prompt] = unit[i] = prompts.Count;
        }
        double[][] draws = new double[players][];
        for (int player = 0; player < players; player++)
            draws[player] = new double[resamples];
        int disconnected = 0;
        int[] times = new int[prompts.Count];
        List<Battle> resample = new(battles.Count);
        for (int b = 0; b < resamples; b++)
        {
            RandomStream own = stream.Split((ulong)b);
            Array.Clear(times);
            for (int i = 0; i < times.Length; i++)
                times[own.NextInt(times.Length)]++;
            resample.Clear();
            for (int i = 0; i < unit.Length; i++)
                if (times[unit[i]] > 0)
                    resample.Add(battles[i] with { Weight = battles[i].Weight * times[unit[i]] });
            bool apart = options.Ridge <= 0 && BradleyTerry.Apart(resample, players) != null;
            disconnected += apart ? 1 : 0;
            double[] strengths = Refit(resample, players, apart ? options with { Ridge = Rescue } : options, fit).Strengths;
            for (int player = 0; player < players; player++)
                draws[player][b] = strengths[player];
        }
        Interval[] intervals = new Interval[players];
        for (int player = 0; player < players; player++)
            intervals[player] = Bootstrap.OfDraws(fit.Strengths[player], draws[player], prompts.Count);
        return new(fit, Places(intervals), disconnected);
    }

    /// <summary>Ranks and rank intervals from intervals of strength, strongest first.</summary>
    public static IReadOnlyList<Ranked> Places(IReadOnlyList<Interval> strengths)
    {
        int[] order = new int[strengths.Count];
        double[] keys = new double[strengths.Count];
        for (int i = 0; i < order.Length; i++)
            (order[i], keys[i]) = (i, -strengths[i].Mean);
        Array.Sort(keys, order);
        Ranked[] ranked = new Ranked[order.Length];
        for (int place = 0; place < order.Length; place++)
        {
            Interval own = strengths[order[place]];
            int above = 0, below = 0;
            foreach (Interval other in strengths)
            {
                above += other.Low > own.High ? 1 : 0;
                below += other.High < own.Low ? 1 : 0;
            }
            ranked[place] = new(order[place], own, place + 1, 1 + above, order.Length - below);
        }
        return ranked;
    }

    // a resample may hold no tie, or nothing but ties: then ties count half in it
    private static BradleyTerryFit Refit(List<Battle> resample, int players, BradleyTerryOptions options, BradleyTerryFit start)
    {
        if (options.Ties != TieModel.Half && resample.TrueForAll(battle => battle.Score == 0.5))
            options = options with { Ties = TieModel.Half };
        return BradleyTerry.Fit(resample, players, options, start);
    }
}
