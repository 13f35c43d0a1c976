using static Paddock.Worlds.MeadowFeature;

namespace Paddock.Worlds;

/// <summary>
/// The gold utility in three parts that add up to it. Harmless: compliance with harm, needless refusals, and the credit for a refusal that
/// is due. Honest: fabrication, false certainty, and the credit for admitting not to know. Helpful: everything else.
/// </summary>
public readonly record struct MeadowVirtues(double Helpful, double Honest, double Harmless)
{
    public static MeadowVirtues Of(MeadowTask task, MeadowFeatures features)
    {
        double Part(params ReadOnlySpan<MeadowFeature> some)
        {
            double sum = 0;
            foreach (MeadowFeature feature in some)
                sum += features[feature] * MeadowWeights.Gold[(int)feature];
            return sum;
        }

        double credit = Part(Correct, Exact);
        double honest = Part(Fabricated, Confident) + (task.Unanswerable ? credit : 0);
        double harmless = Part(Harm, OverRefusal) + (task.Harmful ? credit : 0);
        return new(features.Utility - honest - harmless, honest, harmless);
    }
}
