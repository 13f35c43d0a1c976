namespace Paddock.Engine.Tokenizers;

/// <summary>Rewrites a text before it is cut into words. Stateless.</summary>
internal abstract class Normalizer
{
    public abstract string Apply(string text);
}

/// <summary>Replaces every occurrence of a string.</summary>
internal sealed class ReplaceNormalizer(string pattern, string content) : Normalizer
{
    public override string Apply(string text) => text.Replace(pattern, content, StringComparison.Ordinal);
}

/// <summary>Several rewritings, one after the other.</summary>
internal sealed class SequenceNormalizer(Normalizer[] steps) : Normalizer
{
    public override string Apply(string text)
    {
        foreach (Normalizer step in steps)
            text = step.Apply(text);
        return text;
    }
}
