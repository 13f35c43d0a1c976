using Paddock.Engine.Numerics;
using Paddock.Evaluation;

namespace Paddock.Studies.Coverage;

/// <summary>
/// The intervals of <see cref="Evaluation"/> on trial. A repetition draws prompts from the population with replacement and votes from the
/// panel's probabilities. Author 0 is the system, author 1 its rival, author 2 the baseline.
/// </summary>
public sealed class CoverageCases
{
    private const int Prompts = 200, BootstrapPrompts = 120, Labels = 100, Judged = 600, Resamples = 400, Race = 1000, FirstLook = 30;

    private readonly CoveragePopulation _all;
    private readonly double[] _system, _rival, _judge;

    private CoverageCases(CoveragePopulation population) => (_all, _system, _rival, _judge) = (population, population.Human[0][2], population.Human[1][2], population.Judge[0][2]);

    /// <summary>All cases on a population of at least three authors.</summary>
    public static IReadOnlyList<CoverageCase> Of(CoveragePopulation population)
    {
        CoverageCases cases = new(population);
        return [.. cases.Rates(), .. cases.Differences(), .. cases.WithLabels(), .. cases.Strengths(), .. cases.LengthControlled(), .. cases.Sequences()];
    }

    private IEnumerable<CoverageCase> Rates()
    {
        double truth = Moments.Mean(_system);
        yield return Of("win rate, one vote a prompt: normal", CoverageKind.Nominal, truth, stream => WinRate.Of(Votes(_system, Prompts, ref stream)).Rate);
        yield return Of("win rate, expected votes: normal", CoverageKind.Nominal, truth, stream => Interval.OfMean(Expected(_system, Prompts, ref stream)));
        yield return Of("win rate, one vote a prompt: Wilson", CoverageKind.Nominal, truth, stream =>
        {
            WinRateResult rate = WinRate.Of(Votes(_system, Prompts, ref stream));
            return WinRate.Wilson(rate.Wins, Prompts);
        });
        yield return Of("win rate, 4 votes a prompt: clustered", CoverageKind.Nominal, truth, stream =>
        {
            (double?[] scores, string[] clusters) = Repeated(_system, Prompts, _ => 4, ref stream);
            return WinRate.Clustered(scores, clusters).Rate;
        });
        yield return Of("win rate, 4 votes a prompt: every vote as a prompt of its own", CoverageKind.Naive, truth, stream => WinRate.Of(Repeated(_system, Prompts, _ => 4, ref stream).Scores).Rate);
        double votes = 0, won = 0;
        for (int i = 0; i < _all.Size; i++)
            (votes, won) = (votes + Times(i), won + Times(i) * _system[i]);
        yield return Of("win rate, 1 to 6 votes a prompt: weighted ratio", CoverageKind.Nominal, won / votes, stream =>
        {
            (double?[] scores, string[] clusters) = Repeated(_system, Prompts, Times, ref stream);
            double[] weights = new double[scores.Length];
            Array.Fill(weights, 1);
            return WinRate.Weighted(scores, weights, clusters).Rate;
        });
        yield return Of("win rate, expected votes: bootstrap percentile", CoverageKind.Resampled, truth, stream =>
        {
            double[] sample = Expected(_system, BootstrapPrompts, ref stream);
            return Bootstrap.Percentile(sample.Length, indices => Mean(sample, indices), stream.Split("bootstrap"), Resamples);
        });
        yield return Of("win rate, expected votes: bootstrap BCa", CoverageKind.Resampled, truth, stream => Bootstrap.OfMean(Expected(_system, BootstrapPrompts, ref stream), stream.Split("bootstrap"), Resamples));

        static int Times(int prompt) => 1 + prompt % 6;
    }

    private IEnumerable<CoverageCase> Differences()
    {
        double truth = Moments.Mean(_system) - Moments.Mean(_rival);
        yield return Of("difference of two systems: paired", CoverageKind.Nominal, truth, stream =>
        {
            (double?[] a, double?[] b, _) = Pairs(1, ref stream);
            return Comparisons.Paired(a, b).Difference;
        });
        yield return Of("difference, 3 votes a prompt: paired, clustered", CoverageKind.Nominal, truth, stream =>
        {
            (double?[] a, double?[] b, string[] clusters) = Pairs(3, ref stream);
            return Comparisons.PairedClustered(a, b, clusters);
        });
        yield return Of("difference, 3 votes a prompt: every vote as a prompt of its own", CoverageKind.Naive, truth, stream =>
        {
            (double?[] a, double?[] b, _) = Pairs(3, ref stream);
            return Comparisons.Paired(a, b).Difference;
        });
    }

    private IEnumerable<CoverageCase> WithLabels()
    {
        double truth = Moments.Mean(_system);
        yield return Of("100 human labels alone", CoverageKind.Nominal, truth, stream => Labelled(ref stream).HumanOnly);
        yield return Of("100 human labels and 600 verdicts of the pool: PPI++", CoverageKind.Nominal, truth, stream => Labelled(ref stream).Rate);
        yield return Of("700 verdicts of the pool, as if it were people", CoverageKind.Naive, truth, stream => Labelled(ref stream).JudgeOnly);
        yield return Of("about 100 labels chosen by doubt: Horvitz-Thompson", CoverageKind.Nominal, truth, stream =>
        {
            double[] judge = new double[Judged];
            int[] items = new int[Judged];
            for (int i = 0; i < Judged; i++)
                judge[i] = _judge[items[i] = stream.NextInt(_all.Size)];
            double[] chances = ActiveLabelling.Probabilities([.. judge.Select(ActiveLabelling.Doubt)], Labels);
            bool[] chosen = ActiveLabelling.Choose(chances, stream.Split("choose"));
            double?[] labels = new double?[Judged];
            for (int i = 0; i < Judged; i++)
                labels[i] = chosen[i] ? stream.NextDouble() < _system[items[i]] ? 1 : 0 : null;
            return ActiveLabelling.Estimate(judge, labels, chances).Rate;
        });
    }

    private IEnumerable<CoverageCase> Strengths()
    {
        // the truth is what the fit converges to: the same fit to the exact expectations of the whole population
        double scale = Math.Sqrt(Moments.Variance([.. Battles(Everyone(), null, false).Select(b => b.Style![0])]));
        BradleyTerryFit plain = BradleyTerry.Fit(Battles(Everyone(), null, true), _all.Authors.Count), styled = BradleyTerry.Fit(Scaled(Battles(Everyone(), null, false), scale), _all.Authors.Count);
        yield return Of("Bradley-Terry, one strength minus another: sandwich", CoverageKind.Nominal, plain.Difference(0, 1).Mean, stream =>
            BradleyTerry.Fit(Drawn(Prompts, true, ref stream), _all.Authors.Count).Difference(0, 1));
        yield return Of("Bradley-Terry with style, effect of length: sandwich", CoverageKind.Nominal, styled.Style[0], stream =>
            BradleyTerry.Fit(Scaled(Drawn(Prompts, false, ref stream), scale), _all.Authors.Count).StyleEffect(0));
        yield return Of("Bradley-Terry, strength: bootstrap of prompts", CoverageKind.Resampled, plain.Strengths[0], stream =>
            Ranking.Of(Drawn(BootstrapPrompts, true, ref stream), _all.Authors.Count, null, stream.Split("bootstrap"), Resamples / 2).Players.First(player => player.Player == 0).Strength);
    }

    private IEnumerable<CoverageCase> LengthControlled()
    {
        double[] everyone = LengthControl.LengthFeature([.. Everyone().Select(Difference)]);
        double truth = LengthControl.Refit([.. _system.Select(p => (double?)p)], everyone, null, null, new RandomStream(0, "truth"), 0).Rate.Mean;
        yield return Of("length-controlled win rate: bootstrap with refits", CoverageKind.Resampled, truth, stream => Controlled(ref stream, Resamples).Rate);
        yield return Of("length-controlled win rate: spread of fitted values, as AlpacaEval publishes", CoverageKind.Naive, truth, stream =>
        {
            LengthControlResult result = Controlled(ref stream, 0);
            return Interval.Normal(result.Rate.Mean, result.FittedError, result.Rate.N, "fitted");
        });

        double Difference(int i) => _all.Lengths[2][i] - _all.Lengths[0][i];

        LengthControlResult Controlled(ref RandomStream stream, int resamples)
        {
            double?[] scores = new double?[Prompts];
            double[] lengths = new double[Prompts];
            for (int k = 0; k < Prompts; k++)
            {
                int i = stream.NextInt(_all.Size);
                (scores[k], lengths[k]) = (stream.NextDouble() < _system[i] ? 1 : 0, Difference(i));
            }
            return LengthControl.Refit(scores, LengthControl.LengthFeature(lengths), null, null, stream.Split("bootstrap"), resamples);
        }
    }

    private IEnumerable<CoverageCase> Sequences()
    {
        double truth = 2 * Moments.Mean(_system) - 1;
        yield return new("mean of votes at +-1, looked at after each of 1,000: any-time valid", CoverageKind.AnyTime, truth, stream => Raced(stream, test => test.Interval()));
        yield return new("the same looks with the interval for one look", CoverageKind.Naive, truth, stream =>
            Raced(stream, test => Interval.Normal(test.Mean, Math.Sqrt((1 - test.Mean * test.Mean) / (test.Count - 1)), test.Count, "normal")));

        (bool, double) Raced(RandomStream stream, Func<SequentialTest, Interval> look)
        {
            SequentialTest test = default;
            bool covers = true;
            Interval last = test.Interval();
            for (int t = 1; t <= Race; t++)
            {
                test = test.Add(stream.NextDouble() < _system[stream.NextInt(_all.Size)] ? 1 : -1);
                if (t < FirstLook)
                    continue;
                last = look(test);
                covers &= last.Low <= truth && truth <= last.High;
            }
            return (covers, last.High - last.Low);
        }
    }

    private static CoverageCase Of(string name, CoverageKind kind, double truth, Func<RandomStream, Interval> draw) => new(name, kind, truth, stream =>
    {
        Interval interval = draw(stream);
        return (interval.Low <= truth && truth <= interval.High, interval.High - interval.Low);
    });

    private double?[] Votes(double[] chances, int prompts, ref RandomStream stream)
    {
        double?[] votes = new double?[prompts];
        for (int k = 0; k < prompts; k++)
            votes[k] = Vote(chances[stream.NextInt(_all.Size)], ref stream);
        return votes;
    }

    private double[] Expected(double[] chances, int prompts, ref RandomStream stream)
    {
        double[] votes = new double[prompts];
        for (int k = 0; k < prompts; k++)
            votes[k] = chances[stream.NextInt(_all.Size)];
        return votes;
    }

    private (double?[] Scores, string[] Clusters) Repeated(double[] chances, int prompts, Func<int, int> times, ref RandomStream stream)
    {
        List<double?> scores = [];
        List<string> clusters = [];
        for (int k = 0; k < prompts; k++)
        {
            int i = stream.NextInt(_all.Size);
            for (int vote = 0; vote < times(i); vote++)
            {
                scores.Add(Vote(chances[i], ref stream));
                clusters.Add($"{k}");
            }
        }
        return ([.. scores], [.. clusters]);
    }

    private (double?[] A, double?[] B, string[] Clusters) Pairs(int times, ref RandomStream stream)
    {
        double?[] a = new double?[Prompts * times], b = new double?[Prompts * times];
        string[] clusters = new string[Prompts * times];
        for (int k = 0; k < Prompts; k++)
        {
            int i = stream.NextInt(_all.Size);
            for (int at = k * times; at < (k + 1) * times; at++)
                (a[at], b[at], clusters[at]) = (Vote(_system[i], ref stream), Vote(_rival[i], ref stream), $"{k}");
        }
        return (a, b, clusters);
    }

    private PredictionPoweredResult Labelled(ref RandomStream stream)
    {
        double[] human = new double[Labels], judge = new double[Labels], more = new double[Judged];
        for (int k = 0; k < Labels + Judged; k++)
        {
            int i = stream.NextInt(_all.Size);
            double verdict = Vote(_judge[i], ref stream);
            if (k < Labels)
                (human[k], judge[k]) = (Vote(_system[i], ref stream), verdict);
            else
                more[k - Labels] = verdict;
        }
        return PredictionPowered.Of(human, judge, more);
    }

    private IEnumerable<int> Everyone() => Enumerable.Range(0, _all.Size);

    private List<Battle> Drawn(int prompts, bool plain, ref RandomStream stream)
    {
        int[] items = new int[prompts];
        for (int k = 0; k < prompts; k++)
            items[k] = stream.NextInt(_all.Size);
        RandomStream votes = stream.Split("votes");
        return Battles(items, () => votes.NextDouble(), plain);
    }

    // every pair of authors on every item; a draw of null takes the exact expectation in place of a vote
    private List<Battle> Battles(IEnumerable<int> items, Func<double>? draw, bool plain)
    {
        List<Battle> battles = [];
        int prompt = 0;
        foreach (int i in items)
        {
            for (int a = 0; a < _all.Authors.Count; a++)
                for (int b = a + 1; b < _all.Authors.Count; b++)
                {
                    double p = _all.Human[a][b][i];
                    battles.Add(new(a, b, draw == null ? p : draw() < p ? 1 : 0, prompt, 1, plain ? null : [StyleFeatures.Relative(_all.Lengths[a][i], _all.Lengths[b][i])]));
                }
            prompt++;
        }
        return battles;
    }

    private static List<Battle> Scaled(List<Battle> battles, double scale) => [.. battles.Select(battle => battle with { Style = [battle.Style![0] / scale] })];

    private static double Vote(double chance, ref RandomStream stream) => stream.NextDouble() < chance ? 1 : 0;

    private static double Mean(double[] values, ReadOnlySpan<int> indices)
    {
        double sum = 0;
        foreach (int i in indices)
            sum += values[i];
        return sum / indices.Length;
    }
}
