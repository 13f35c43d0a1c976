using Paddock.Engine;
using Paddock.Engine.Numerics;

namespace Paddock.Evaluation;

/// <summary>Coefficients of AlpacaEval's length-controlled model of one system against the baseline.</summary>
/// <param name="Length">Of tanh of the scaled length difference, baseline minus system; below 0 where length helps.</param>
/// <param name="Difficulty">Of the instruction's difficulty; 0 in the minimal variant.</param>
/// <param name="System">Constant.</param>
public sealed record LengthControlWeights(double Length, double Difficulty, double System);

/// <summary>Which rows and features a refit used; the variants are different metrics, not approximations of each other.</summary>
public enum LengthControlVariant
{
    /// <summary>Length and a constant: needs no instruction difficulty.</summary>
    Minimal,

    /// <summary>Length, difficulty and a constant, no further rows.</summary>
    Unregularised,

    /// <summary>As AlpacaEval 2: also the baseline's own verbose and concise answers, which tie down what length and difficulty do.</summary>
    Full,
}

/// <summary>The baseline prompted to be verbose and concise, which the fit sees with weight 0.1 each.</summary>
/// <param name="Lengths">tanh of their scaled length differences.</param>
/// <param name="Difficulties">Difficulty of the same rows.</param>
/// <param name="LengthSum">0.1 times the sum of label times length feature: all that the likelihood needs of their labels.</param>
/// <param name="DifficultySum">0.1 times the sum of label times difficulty.</param>
public sealed record GamedRows(double[] Lengths, double[] Difficulties, double LengthSum, double DifficultySum)
{
    /// <summary>Half of AlpacaEval's regularisation weight 0.2.</summary>
    public const double Weight = 0.1;
}

/// <summary>A length-controlled win rate.</summary>
/// <param name="Rate">Fraction; its interval is a bootstrap over prompts with a refit on each resample.</param>
/// <param name="FittedError">sd of the fitted probabilities / sqrt n: what AlpacaEval publishes as its standard error. It holds no noise of verdicts or coefficients.</param>
public sealed record LengthControlResult(Interval Rate, double FittedError, LengthControlWeights Weights, LengthControlVariant Variant);

/// <summary>
/// AlpacaEval's length-controlled win rate (Dubois et al. 2024, arXiv 2404.04475): logit P(system wins) = w_t tanh(l / sd l) + w_d d + w_m
/// with l the length difference in code points and d the instruction's difficulty; the rate is the mean probability at l = 0. A refit here is
/// the unpenalised maximum likelihood on soft labels: AlpacaEval's L1 penalty, chosen by cross-validation, moves the rate by less than 0.1
/// points and depends on the platform.
/// </summary>
public static class LengthControl
{
    /// <summary>Mean fitted probability at equal length, over difficulties of given mass (which sum to 1).</summary>
    public static double Rate(LengthControlWeights weights, ReadOnlySpan<double> difficulties, ReadOnlySpan<double> masses)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(masses.Length, difficulties.Length);
        double sum = 0;
        for (int i = 0; i < difficulties.Length; i++)
            sum += masses[i] * At(weights, difficulties[i]);
        return sum;
    }

    /// <summary>AlpacaEval's published standard error, sd (ddof 1) of the fitted probabilities over n instructions / sqrt n.</summary>
    public static double FittedError(LengthControlWeights weights, ReadOnlySpan<double> difficulties, ReadOnlySpan<double> masses, int n)
    {
        double mean = Rate(weights, difficulties, masses), sum = 0;
        for (int i = 0; i < difficulties.Length; i++)
        {
            double d = At(weights, difficulties[i]) - mean;
            sum += masses[i] * d * d;
        }
        return Math.Sqrt(sum / (n - 1));
    }

    /// <summary>tanh of the length differences over their sample deviation, which is not centred; 0 where lengths never differ.</summary>
    /// <param name="differences">Length of the baseline's answer minus the system's, in code points, of all rows, also those without a verdict.</param>
    public static double[] LengthFeature(ReadOnlySpan<double> differences)
    {
        double deviation = Math.Sqrt(Moments.Variance(differences));
        double[] feature = new double[differences.Length];
        for (int i = 0; i < feature.Length; i++)
            feature[i] = deviation > 0 ? Math.Tanh(differences[i] / deviation) : 0;
        return feature;
    }

    /// <summary>Refits the model and gives the rate with a percentile interval over prompts, refitted on each resample.</summary>
    /// <param name="scores">Score of the system in [0, 1] per prompt; null is left out.</param>
    /// <param name="lengths">From <see cref="LengthFeature"/>.</param>
    /// <param name="difficulties">One per prompt, NaN where unknown (the row is left out); null for the minimal variant.</param>
    /// <param name="resamples">0 leaves the interval open.</param>
    public static LengthControlResult Refit(ReadOnlySpan<double?> scores, ReadOnlySpan<double> lengths, double[]? difficulties, GamedRows? gamed, RandomStream stream, int resamples = 1000)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(lengths.Length, scores.Length);
        if (gamed != null && difficulties == null)
            throw new ArgumentException("the baseline's gamed rows need difficulties", nameof(gamed));
        List<Row> rows = [];
        for (int i = 0; i < scores.Length; i++)
            if (scores[i] is { } score && !double.IsNaN(difficulties?[i] ?? 0))
                rows.Add(new(score, lengths[i], difficulties?[i] ?? 0));
        if (rows.Count < 2)
            throw new BadInputException($"a length-controlled rate needs at least two prompts with a verdict{(difficulties == null ? "" : " and a known difficulty")}, not {rows.Count}");
        LogisticFit fit = new([.. rows], difficulties != null, gamed);
        int[] once = new int[rows.Count];
        Array.Fill(once, 1);
        LengthControlWeights weights = fit.Solve(once, new(0, 0, 0));
        double rate = fit.Rate(weights, once), squares = 0;
        foreach (Row row in rows)
            squares += (At(weights, row.Difficulty) - rate) * (At(weights, row.Difficulty) - rate);
        Interval interval = new(rate, double.NaN, rows.Count, double.NaN, double.NaN, "percentile, refitted");
        if (resamples > 0)
        {
            double[] draws = new double[resamples];
            int[] times = new int[rows.Count];
            for (int b = 0; b < resamples; b++)
            {
                RandomStream own = stream.Split((ulong)b);
                Array.Clear(times);
                for (int i = 0; i < times.Length; i++)
                    times[own.NextInt(times.Length)]++;
                draws[b] = fit.Rate(fit.Solve(times, weights), times);
            }
            interval = Bootstrap.OfDraws(rate, draws, rows.Count) with { Method = "percentile, refitted" };
        }
        LengthControlVariant variant = gamed != null ? LengthControlVariant.Full : difficulties != null ? LengthControlVariant.Unregularised : LengthControlVariant.Minimal;
        return new(interval, Math.Sqrt(squares / (rows.Count - 1) / rows.Count), weights, variant);
    }

    /// <summary>
    /// Whether a length-controlled rate lies so far from the raw one that AlpacaEval warns: outside [min(wr - wr/4, wr - 10),
    /// max(wr + (100 - wr)/4, wr + 10)], in percent.
    /// </summary>
    public static bool IsFarFrom(double rawPercent, double controlledPercent) =>
        controlledPercent < Math.Min(rawPercent - rawPercent / 4, rawPercent - 10) || controlledPercent > Math.Max(rawPercent + (100 - rawPercent) / 4, rawPercent + 10);

    private static double At(LengthControlWeights weights, double difficulty) => ScalarMath.Sigmoid(weights.Difficulty * difficulty + weights.System);

    private readonly record struct Row(double Score, double Length, double Difficulty);

    /// <summary>Newton's method with halved steps, which also holds where one class is nearly absent and undamped steps diverge.</summary>
    private sealed class LogisticFit(Row[] rows, bool withDifficulty, GamedRows? gamed)
    {
        private const int MostSteps = 100;

        // keeps a direction that the rows say nothing about (equal lengths throughout) where it is
        private const double Floor = 1e-9;

        private readonly double[] _gradient = new double[3];
        private readonly double[,] _information = new double[3, 3];

        public double Rate(LengthControlWeights weights, int[] times)
        {
            double sum = 0;
            int n = 0;
            for (int i = 0; i < rows.Length; i++)
                if (times[i] > 0)
                {
                    sum += times[i] * At(weights, rows[i].Difficulty);
                    n += times[i];
                }
            return sum / n;
        }

        public LengthControlWeights Solve(int[] times, LengthControlWeights start)
        {
            Span<double> at = [start.Length, start.Difficulty, start.System], direction = stackalloc double[3], next = stackalloc double[3];
            double value = Evaluate(at, times);
            for (int step = 0; step < MostSteps; step++)
            {
                _gradient.CopyTo(direction);
                Cholesky.Solve(Cholesky.Factor(_information)!, direction);
                double slope = direction[0] * _gradient[0] + direction[1] * _gradient[1] + direction[2] * _gradient[2], scale = 1, found;
                if (slope < 1e-16 * Math.Max(1, -value))
                    break;
                do
                {
                    for (int k = 0; k < 3; k++)
                        next[k] = at[k] + scale * direction[k];
                    found = Evaluate(next, times);
                    scale /= 2;
                }
                while (!(found >= value) && scale > 1e-10);
                if (!(found > value))
                    break;
                next.CopyTo(at);
                value = found;
            }
            return new(at[0], at[1], at[2]);
        }

        private double Evaluate(ReadOnlySpan<double> at, int[] times)
        {
            double value = 0, g0 = 0, g1 = 0, g2 = 0, h00 = Floor, h10 = 0, h11 = withDifficulty ? Floor : 1, h20 = 0, h21 = 0, h22 = Floor;
            for (int i = 0; i < rows.Length; i++)
            {
                if (times[i] == 0)
                    continue;
                (double y, double t, double d) = rows[i];
                double eta = at[0] * t + at[1] * d + at[2], w = times[i], e = Math.Exp(-Math.Abs(eta)), p = eta >= 0 ? 1 / (1 + e) : e / (1 + e);
                // y log s(eta) + (1 - y) log s(-eta) = y eta - log(1 + e^eta)
                value += w * (y * eta - Math.Max(eta, 0) - ScalarMath.Log1p(e));
                double residual = w * (y - p), v = w * p * (1 - p);
                g0 += residual * t;
                g1 += residual * d;
                g2 += residual;
                h00 += v * t * t;
                h10 += v * t * d;
                h11 += v * d * d;
                h20 += v * t;
                h21 += v * d;
                h22 += v;
            }
            if (gamed != null)
            {
                value += at[0] * gamed.LengthSum + at[1] * gamed.DifficultySum;
                g0 += gamed.LengthSum;
                g1 += gamed.DifficultySum;
                for (int i = 0; i < gamed.Lengths.Length; i++)
                {
                    double t = gamed.Lengths[i], d = gamed.Difficulties[i], eta = at[0] * t + at[1] * d, p = ScalarMath.Sigmoid(eta), v = GamedRows.Weight * p * (1 - p);
                    value -= GamedRows.Weight * ScalarMath.Softplus(eta);
                    g0 -= GamedRows.Weight * p * t;
                    g1 -= GamedRows.Weight * p * d;
                    h00 += v * t * t;
                    h10 += v * t * d;
                    h11 += v * d * d;
                }
            }
            if (!withDifficulty)
                (g1, h10, h21) = (0, 0, 0);
            (_gradient[0], _gradient[1], _gradient[2]) = (g0, g1, g2);
            (_information[0, 0], _information[1, 0], _information[1, 1], _information[2, 0], _information[2, 1], _information[2, 2]) = (h00, h10, h11, h20, h21, h22);
            return value;
        }
    }
}
