using Paddock.Engine.Numerics;

namespace Paddock.Evaluation;

/// <summary>
/// Log-likelihood of Bradley-Terry with style and ties, its gradient and information. Parameters: strengths [players], style [features],
/// then log nu (Davidson) or eta (Rao and Kupper). Adding one number to all strengths changes nothing, so the information gets a multiple of
/// 11' on them, which pins their sum and is taken out of the covariance again.
/// </summary>
internal sealed class BradleyTerryModel(IReadOnlyList<Battle> battles, int players, int style, TieModel ties, double ridge)
{
    private readonly int _size = players + style + (ties == TieModel.Half ? 0 : 1);
    private double _pin;

    public double[] Gradient { get; private set; } = [];

    public double[,] Information { get; private set; } = new double[0, 0];

    public int Prompts { get; } = CountPrompts(battles);

    public double[] Start(BradleyTerryFit? known)
    {
        double[] at = new double[_size];
        if (ties != TieModel.Half)
            at[^1] = ties == TieModel.Davidson ? 0 : 0.5;
        if (known == null)
            return at;
        double centre = Moments.Mean(known.Strengths);
        for (int i = 0; i < players; i++)
            at[i] = known.Strengths[i] - centre;
        known.Style.CopyTo(at, players);
        if (ties != TieModel.Half && known.Tie > 0)
            at[^1] = ties == TieModel.Davidson ? Math.Log(known.Tie) : known.Tie;
        return at;
    }

    /// <summary>Log-likelihood; -infinity where eta is not positive. Sets <see cref="Gradient"/> and <see cref="Information"/>.</summary>
    public double Evaluate(double[] at)
    {
        double value = 0, total = 0;
        double[] gradient = new double[_size];
        double[,] information = new double[_size, _size];
        if (ties == TieModel.RaoKupper && at[^1] <= 0)
            return double.NegativeInfinity;
        Span<(int At, double X)> row = stackalloc (int, double)[2 + style];
        foreach (Battle battle in battles)
        {
            double margin = Row(battle, at, row);
            Terms t = Of(battle.Score, margin, ties == TieModel.Half ? 0 : at[^1]);
            double w = battle.Weight;
            value += w * t.Value;
            total += w;
            for (int a = 0; a < row.Length; a++)
            {
                gradient[row[a].At] += w * t.Margin * row[a].X;
                for (int b = 0; b <= a; b++)
                    information[Math.Max(row[a].At, row[b].At), Math.Min(row[a].At, row[b].At)] += w * t.MarginMargin * row[a].X * row[b].X;
                if (ties != TieModel.Half)
                    information[_size - 1, row[a].At] += w * t.MarginTie * row[a].X;
            }
            if (ties != TieModel.Half)
            {
                gradient[^1] += w * t.Tie;
                information[_size - 1, _size - 1] += w * t.TieTie;
            }
        }
        _pin = Math.Max(total, 1) / players;
        for (int i = 0; i < players; i++)
        {
            value -= 0.5 * ridge * at[i] * at[i];
            gradient[i] -= ridge * at[i];
            information[i, i] += ridge;
            for (int j = 0; j <= i; j++)
                information[i, j] += _pin / players;
        }
        for (int i = 0; i < _size; i++)
            for (int j = 0; j < i; j++)
                information[j, i] = information[i, j];
        (Gradient, Information) = (gradient, information);
        return value;
    }

    /// <summary>Inverse information, and the sandwich with the scores of each prompt summed first, times G/(G-1).</summary>
    public (double[,] Covariance, double[,] Robust) Covariances(double[] at)
    {
        Evaluate(at);
        double[,]? factor = Cholesky.Factor(Information);
        double[,] covariance = factor == null ? Undetermined() : Cholesky.Inverse(factor);
        // the direction of all ones is an eigenvector with value ridge + pin: take its part out
        double along = 1 / ((ridge + _pin) * players);
        for (int i = 0; i < players; i++)
            for (int j = 0; j < players; j++)
                covariance[i, j] -= along;
        Dictionary<int, double[]> scores = [];
        Span<(int At, double X)> row = stackalloc (int, double)[2 + style];
        foreach (Battle battle in battles)
        {
            if (!scores.TryGetValue(battle.Prompt, out double[]? sum))
                scores[battle.Prompt] = sum = new double[_size];
            Terms t = Of(battle.Score, Row(battle, at, row), ties == TieModel.Half ? 0 : at[^1]);
            foreach ((int k, double x) in row)
                sum[k] += battle.Weight * t.Margin * x;
            if (ties != TieModel.Half)
                sum[^1] += battle.Weight * t.Tie;
        }
        double[,] meat = new double[_size, _size];
        double correction = scores.Count > 1 ? scores.Count / (scores.Count - 1.0) : double.NaN;
        foreach (double[] sum in scores.Values)
            for (int i = 0; i < _size; i++)
                for (int j = 0; j < _size; j++)
                    meat[i, j] += correction * sum[i] * sum[j];
        return (covariance, Cholesky.Sandwich(covariance, meat));
    }

    private double[,] Undetermined()
    {
        double[,] all = new double[_size, _size];
        for (int i = 0; i < _size; i++)
            for (int j = 0; j < _size; j++)
                all[i, j] = double.NaN;
        return all;
    }

    private double Row(Battle battle, double[] at, Span<(int At, double X)> row)
    {
        row[0] = (battle.First, 1);
        row[1] = (battle.Second, -1);
        double margin = at[battle.First] - at[battle.Second];
        for (int k = 0; k < style; k++)
        {
            double z = battle.Style![k];
            row[2 + k] = (players + k, z);
            margin += at[players + k] * z;
        }
        return margin;
    }

    /// <param name="Margin">d log P / d margin.</param>
    /// <param name="MarginMargin">-d2 log P / d margin2, and so on.</param>
    private readonly record struct Terms(double Value, double Margin, double Tie, double MarginMargin, double MarginTie, double TieTie);

    private Terms Of(double score, double margin, double tie)
    {
        if (ties == TieModel.Half)
        {
            double p = ScalarMath.Sigmoid(margin);
            double value = (score == 0 ? 0 : score * ScalarMath.LogSigmoid(margin)) + (score == 1 ? 0 : (1 - score) * ScalarMath.LogSigmoid(-margin));
            return new(value, score - p, 0, p * (1 - p), 0, 0);
        }
        if (ties == TieModel.Davidson)
        {
            // a softmax over win, loss and tie with logits m/2, -m/2 and log nu
            double log = ScalarMath.LogSumExp([margin / 2, -margin / 2, tie]);
            double win = Math.Exp(margin / 2 - log), loss = Math.Exp(-margin / 2 - log), even = Math.Exp(tie - log);
            double own = score == 1 ? 0.5 : score == 0 ? -0.5 : 0, mean = 0.5 * (win - loss);
            return new(2 * own * (margin / 2) + (score == 0.5 ? tie : 0) - log, own - mean, (score == 0.5 ? 1 : 0) - even,
                0.25 * (win + loss) - mean * mean, -mean * even, even * (1 - even));
        }
        // Rao and Kupper: a tie is (e^2eta - 1) s(m - eta) s(-m - eta)
        double up = ScalarMath.Sigmoid(margin - tie), down = ScalarMath.Sigmoid(-margin - tie);
        double upSlope = up * (1 - up), downSlope = down * (1 - down);
        if (score == 1)
            return new(ScalarMath.LogSigmoid(margin - tie), 1 - up, -(1 - up), upSlope, -upSlope, upSlope);
        if (score == 0)
            return new(ScalarMath.LogSigmoid(-margin - tie), -(1 - down), -(1 - down), downSlope, downSlope, downSlope);
        double grow = ScalarMath.Expm1(2 * tie), ratio = 2 + 2 / grow; // 2 e^2eta / (e^2eta - 1)
        return new(Math.Log(grow) + ScalarMath.LogSigmoid(margin - tie) + ScalarMath.LogSigmoid(-margin - tie), (1 - up) - (1 - down), ratio - (1 - up) - (1 - down),
            upSlope + downSlope, downSlope - upSlope, 2 * ratio / grow + upSlope + downSlope);
    }

    private static int CountPrompts(IReadOnlyList<Battle> battles)
    {
        HashSet<int> prompts = [];
        foreach (Battle battle in battles)
            prompts.Add(battle.Prompt);
        return prompts.Count;
    }
}
