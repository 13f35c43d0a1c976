using Paddock.Data;
using Paddock.Engine;

namespace Paddock.Studies.Stages;

/// <summary>Labelled answers for stages that learn from them, as ids.</summary>
internal static class LabelEncoding
{
    /// <summary>Labels of a file, or two for each preference: a thumb up for chosen, a thumb down for rejected.</summary>
    public static IEnumerable<Label> Read(StageSource source, StageRun run) =>
        source.Folder == null && DataFormat.Detect(source.Rows) == DataFormat.Labels
            ? Data.DataFiles.ReadLabels(source.Rows)
            : Split(StageRows.ReadPreferences(source, run), source.Name);

    /// <summary>The first rows up to <paramref name="limit"/>, thinned evenly to a share of each class.</summary>
    public static List<TokenizedLabel> Encode(IEnumerable<Label> labels, ITextCodec codec, int? limit, double keepDesirable, double keepUndesirable)
    {
        List<TokenizedLabel> encoded = [];
        int desirable = 0, undesirable = 0;
        foreach (Label label in labels.Take(limit ?? int.MaxValue))
            if (label.Desirable ? Keeps(desirable++, keepDesirable) : Keeps(undesirable++, keepUndesirable))
                encoded.Add(new TokenizedLabel(codec.EncodePrompt(label.Prompt.Messages), codec.EncodeResponse(label.Response), label.Desirable));
        return encoded.Count > 0 ? encoded : throw new BadInputException("keep-desirable and keep-undesirable leave no label to learn from; raise one of them");
    }

    public static string Describe(List<TokenizedLabel> labels)
    {
        int desirable = labels.Count(l => l.Desirable);
        return $"{desirable} desirable and {labels.Count - desirable} undesirable answers";
    }

    // every (1 / share)-th, so that the first rows are like the last
    private static bool Keeps(int i, double share) => Math.Floor((i + 1) * share) > Math.Floor(i * share);

    private static IEnumerable<Label> Split(List<Preference> preferences, string source)
    {
        foreach (Preference p in PairEncoding.Hard(preferences, source))
        {
            yield return new Label(p.Prompt, p.Chosen, true);
            yield return new Label(p.Prompt, p.Rejected, false);
        }
    }
}
