using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Paddock.Worlds;

/// <summary>A hash of every constant the Meadow is made from, its generator's version and the sizes of its splits.</summary>
internal static class MeadowFingerprint
{
    public static string Of(MeadowOptions options)
    {
        StringBuilder text = new();
        text.Append(CultureInfo.InvariantCulture, $"version {MeadowWorld.GeneratorVersion} seed {MeadowWorld.WorldSeed} lazy {MeadowDemonstrator.LazyShare:R}\n");
        text.AppendJoin(' ', MeadowVocabulary.Words).Append('\n');
        foreach ((_, string[] texts) in MeadowLexicon.Phrases)
            text.AppendJoin('|', texts).Append('\n');
        foreach (MeadowTemplate template in MeadowTemplate.All)
            text.Append(template.Kind).Append(' ').Append(template.Text).Append('\n');
        Numbers(text, MeadowKinds.Probabilities);
        foreach (MeadowAuthor author in MeadowAuthor.All)
            text.Append(CultureInfo.InvariantCulture, $"{author}\n");
        foreach (MeadowMixture mixture in MeadowMixture.All)
            Numbers(text.Append(mixture.Name).Append(' '), mixture.Shares);
        Numbers(text, MeadowWeights.Gold.ToArray());
        foreach (MeadowRater rater in (MeadowRater[])[.. MeadowRaters.Human, .. MeadowRaters.Pool, MeadowRaters.Judge])
            Numbers(text.Append(rater.Name).Append(' '), [rater.Temperature, rater.Misread, rater.Position, .. rater.Weights]);
        foreach ((string split, int size) in options.Sizes)
            text.Append(CultureInfo.InvariantCulture, $"{split} {size}\n");
        return "meadow-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())).AsSpan(0, 8));
    }

    private static void Numbers(StringBuilder text, IReadOnlyList<double> values) =>
        text.AppendJoin(' ', values.Select(v => v.ToString("R", CultureInfo.InvariantCulture))).Append('\n');
}
