using Paddock.Engine.Numerics;

namespace Paddock.Evaluation;

/// <summary>The scale of ratings (Elo 1978): 400 points are odds of ten to one.</summary>
public static class Elo
{
    /// <summary>Points of one unit of Bradley-Terry strength, 400 / ln 10.</summary>
    public const double PointsPerLogit = 173.71779276130073;

    /// <summary>Share of points that a player <paramref name="points"/> ahead takes.</summary>
    public static double Probability(double points) => ScalarMath.Sigmoid(points / PointsPerLogit);

    /// <summary>How far ahead a player is who takes a share <paramref name="probability"/> of the points.</summary>
    public static double Difference(double probability) => PointsPerLogit * ScalarMath.Logit(probability);

    /// <summary>An interval of strength as one of ratings.</summary>
    public static Interval OfStrength(Interval strength, double offset = 0) => strength with
    {
        Mean = PointsPerLogit * strength.Mean + offset,
        StandardError = PointsPerLogit * strength.StandardError,
        Low = PointsPerLogit * strength.Low + offset,
        High = PointsPerLogit * strength.High + offset,
    };
}
