using Paddock.Engine;
using Paddock.Engine.Numerics;

namespace Paddock.Evaluation;

/// <summary>One comparison of two players.</summary>
/// <param name="First">Player, 0 to players - 1.</param>
/// <param name="Score">Of the first: 1 won, 0 lost, 1/2 tied; a probability where ties count half.</param>
/// <param name="Prompt">The independent unit it belongs to; all comparisons of a prompt are resampled and clustered together.</param>
/// <param name="Style">Style of the first minus that of the second, one value per feature; the same length on all, null for none.</param>
public readonly record struct Battle(int First, int Second, double Score, int Prompt, double Weight = 1, double[]? Style = null);

/// <summary>What a tie says.</summary>
public enum TieModel
{
    /// <summary>Half a win for each (Bradley and Terry 1952).</summary>
    Half,

    /// <summary>P(tie) = nu sqrt(p_i p_j) / (p_i + p_j + nu sqrt(p_i p_j)) (Davidson 1970).</summary>
    Davidson,

    /// <summary>P(i wins) = s(b_i - b_j - eta), the rest ties (Rao and Kupper 1967).</summary>
    RaoKupper,
}

/// <param name="Ridge">Adds -(ridge/2) sum of b^2, which keeps a player who always won finite; 0 is maximum likelihood.</param>
/// <param name="Anchor">The player whose strength is <paramref name="AnchorStrength"/>; null centres all strengths at 0.</param>
public sealed record BradleyTerryOptions(TieModel Ties = TieModel.Half, double Ridge = 0, int? Anchor = null, double AnchorStrength = 0);

/// <summary>Fitted strengths b on the logit scale, P(i beats j) = s(b_i - b_j).</summary>
/// <param name="Covariance">Of the parameters (strengths, then style, then the tie parameter), inverse information; strengths sum to 0 in it.</param>
/// <param name="Robust">As <paramref name="Covariance"/>, sandwich clustered by prompt: what to report.</param>
/// <param name="Tie">nu of Davidson, eta of Rao and Kupper; 0 where ties count half or there are none.</param>
/// <param name="Style">Coefficient of each style feature: what style adds to the logit.</param>
public sealed record BradleyTerryFit(double[] Strengths, double[] Style, double Tie, double LogLikelihood, double[,] Covariance, double[,] Robust, int Prompts, int? Anchor)
{
    /// <summary>Strength of a player: relative to the anchor where there is one, else to the mean of all.</summary>
    public Interval Strength(int player, bool robust = true) =>
        Interval.Normal(Strengths[player], Anchor is { } anchor ? Error(player, anchor, robust) : Math.Sqrt((robust ? Robust : Covariance)[player, player]), Prompts, robust ? "sandwich" : "information");

    /// <summary>b_i - b_j with its standard error.</summary>
    public Interval Difference(int i, int j, bool robust = true) => Interval.Normal(Strengths[i] - Strengths[j], Error(i, j, robust), Prompts, robust ? "sandwich" : "information");

    /// <summary>Coefficient of a style feature.</summary>
    public Interval StyleEffect(int feature, bool robust = true)
    {
        int at = Strengths.Length + feature;
        return Interval.Normal(Style[feature], Math.Sqrt((robust ? Robust : Covariance)[at, at]), Prompts, robust ? "sandwich" : "information");
    }

    private double Error(int i, int j, bool robust)
    {
        double[,] v = robust ? Robust : Covariance;
        return Math.Sqrt(Math.Max(0, v[i, i] + v[j, j] - 2 * v[i, j]));
    }
}

/// <summary>
/// Bradley-Terry strengths (Bradley and Terry 1952) by Newton's method with halved steps on the log-likelihood, which is concave in all
/// parameters for each of the tie models. With style features z the logit is b_i - b_j + gamma . z, so that strengths compare answers of
/// equal style.
/// </summary>
public static class BradleyTerry
{
    private const int MostSteps = 200;

    /// <exception cref="BadInputException">No ridge, and some players never lost to the others, or never met them.</exception>
    public static BradleyTerryFit Fit(IReadOnlyList<Battle> battles, int players, BradleyTerryOptions? options = null, BradleyTerryFit? start = null)
    {
        options ??= new();
        ArgumentOutOfRangeException.ThrowIfLessThan(players, 2);
        ArgumentOutOfRangeException.ThrowIfZero(battles.Count);
        int style = battles[0].Style?.Length ?? 0;
        bool ties = options.Ties != TieModel.Half && HasTies(battles, options.Ties);
        if (options.Ridge <= 0 && Apart(battles, players) is { } apart)
            throw new BadInputException($"strengths have no finite maximum: {apart}; give a ridge above 0, such as 0.1, or leave out the players that the others cannot be compared with");
        BradleyTerryModel model = new(battles, players, style, ties ? options.Ties : TieModel.Half, Math.Max(0, options.Ridge));
        double[] at = model.Start(start);
        double value = model.Evaluate(at);
        for (int step = 0; step < MostSteps; step++)
        {
            double[] direction = [.. model.Gradient];
            if (Cholesky.Factor(model.Information) is not { } factor)
                throw new BadInputException("strengths and style cannot be told apart: a style feature is constant, or a sum of others; leave it out");
            Cholesky.Solve(factor, direction);
            double slope = 0, scale = 1;
            for (int k = 0; k < at.Length; k++)
                slope += direction[k] * model.Gradient[k];
            if (slope < 1e-22 * Math.Max(1, Math.Abs(value)))
                break;
            double[] next = new double[at.Length];
            double found;
            do
            {
                for (int k = 0; k < at.Length; k++)
                    next[k] = at[k] + scale * direction[k];
                found = model.Evaluate(next);
                scale /= 2;
            }
            while (!(found >= value) && scale > 1e-12);
            if (!(found > value))
            {
                if (found == value)
                    at = next;
                model.Evaluate(at);
                break;
            }
            (at, value) = (next, found);
        }
        (double[,] covariance, double[,] robust) = model.Covariances(at);
        double[] strengths = at[..players];
        double centre = Moments.Mean(strengths), shift = options.Anchor is { } anchor ? options.AnchorStrength - strengths[anchor] : -centre;
        for (int i = 0; i < players; i++)
            strengths[i] += shift;
        double tie = !ties ? 0 : options.Ties == TieModel.Davidson ? Math.Exp(at[^1]) : at[^1];
        return new(strengths, at[players..(players + style)], tie, value, covariance, robust, model.Prompts, options.Anchor);
    }

    /// <summary>Probability that a player of strength <paramref name="first"/> beats one of strength <paramref name="second"/>; ties half.</summary>
    public static double Probability(double first, double second) => ScalarMath.Sigmoid(first - second);

    private static bool HasTies(IReadOnlyList<Battle> battles, TieModel model)
    {
        bool any = false, all = true;
        foreach (Battle battle in battles)
        {
            if (battle.Score is not (0 or 0.5 or 1))
                throw new ArgumentException($"{model} takes wins, losses and ties; a score of {battle.Score} is a probability, for which ties count half", nameof(battles));
            any |= battle.Score == 0.5;
            all &= battle.Score == 0.5;
        }
        return all ? throw new BadInputException("every comparison is a tie, so the tie parameter has no finite maximum; let ties count half") : any;
    }

    /// <summary>
    /// Null when every player can be reached from every other along "scored against" (Ford 1957), the condition for a finite maximum;
    /// else what is wrong.
    /// </summary>
    public static string? Apart(IReadOnlyList<Battle> battles, int players)
    {
        bool[,] scored = new bool[players, players];
        foreach (Battle battle in battles)
        {
            scored[battle.First, battle.Second] |= battle.Weight > 0 && battle.Score > 0;
            scored[battle.Second, battle.First] |= battle.Weight > 0 && battle.Score < 1;
        }
        int forward = Reached(scored, players, false), backward = Reached(scored, players, true);
        return forward == players && backward == players ? null
            : backward < players ? $"{players - backward} of {players} players never scored against the rest"
            : $"{players - forward} of {players} players never lost a point to the rest";
    }

    private static int Reached(bool[,] scored, int players, bool reverse)
    {
        bool[] seen = new bool[players];
        Stack<int> open = new([0]);
        seen[0] = true;
        int count = 0;
        while (open.TryPop(out int at))
        {
            count++;
            for (int other = 0; other < players; other++)
                if (!seen[other] && (reverse ? scored[other, at] : scored[at, other]))
                {
                    seen[other] = true;
                    open.Push(other);
                }
        }
        return count;
    }
}
