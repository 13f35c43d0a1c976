using Paddock.Engine.Numerics;

namespace Paddock.Worlds;

/// <summary>A document as ids, and the loss weight of each id as a target (0: only read). The first id is never a target.</summary>
public sealed record MeadowDocument(int[] Tokens, float[] TargetWeights);

/// <param name="CommentNoise">Share of readers' comments that are turned around.</param>
/// <param name="CommentWeight">Loss weight of a comment; without it reward models learn politeness long before correctness.</param>
/// <param name="TextbookEarly">Share of textbook documents until <paramref name="EarlyUntil"/> of the training.</param>
/// <param name="TextbookLate">Their share after that.</param>
/// <param name="FullSentence">Share of answerable textbook questions answered as <c>tom has a pear .</c></param>
public sealed record MeadowCorpusOptions(double CommentNoise = .05, float CommentWeight = 2, double TextbookEarly = .5, double EarlyUntil = .6,
    double TextbookLate = .2, double FullSentence = .4);

/// <summary>
/// Pretraining text without end. Raw documents are <c>[byline] instruction &lt;sep&gt; answer &lt;eos&gt; comment</c>: an author of the raw
/// mixture answers and a reader says <c>right</c> or <c>wrong</c>. Textbook documents are always right and unstyled, and have neither
/// byline nor comment. A document is a pure function of the seed, its index and the progress of the training. Thread-safe.
/// </summary>
public sealed class MeadowCorpus(ulong seed, MeadowCorpusOptions? options = null)
{
    // how often each author signs, in the order of MeadowAuthor.All; keeps the unsigned base below its fine-tuned self
    private static readonly double[] BylineProbability = [.95, .6, .2, .4, .4, .4, .2, .8, .8];

    private static readonly (MeadowKind Kind, double Share)[] TextbookKinds =
    [
        (MeadowKind.Qa, .24), (MeadowKind.Count, .16), (MeadowKind.List, .24), (MeadowKind.Add, .08), (MeadowKind.Sub, .06), (MeadowKind.Sort, .04),
        (MeadowKind.Reverse, .06), (MeadowKind.Howto, .06), (MeadowKind.Copy, .02), (MeadowKind.Cat, .04),
    ];

    private static readonly double[] TextbookShares = [.. TextbookKinds.Select(k => k.Share)];
    private static readonly int Right = MeadowVocabulary.Id("right"), Wrong = MeadowVocabulary.Id("wrong");

    private readonly MeadowCorpusOptions _options = options ?? new();
    private readonly RandomStream _stream = new(seed, "meadow/corpus");

    /// <summary>Longest document in tokens: byline, instruction, separator, answer and comment.</summary>
    public const int MaxTokens = 1 + 17 + 1 + MeadowVocabulary.MaxResponseTokens + 1;

    /// <param name="index">Which document; each is independent of the others.</param>
    /// <param name="progress">Share of the training done, 0 to 1: sets how many documents are of the textbook.</param>
    public MeadowDocument Document(long index, double progress)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        if (progress is not (>= 0 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(progress), progress, "a share of the training, 0 to 1");
        RandomStream own = _stream.Split((ulong)index);
        return own.Chance(progress < _options.EarlyUntil ? _options.TextbookEarly : _options.TextbookLate) ? Textbook(ref own) : Raw(ref own);
    }

    private MeadowDocument Raw(ref RandomStream r)
    {
        MeadowTask task = MeadowTask.Draw(ref r);
        MeadowAuthor author = MeadowMixture.Raw.Draw(ref r);
        int index = 0;
        while (!ReferenceEquals(MeadowAuthor.All[index], author))
            index++;
        bool signed = r.Chance(BylineProbability[index]);
        int[] answer = [.. MeadowVocabulary.Encode(MeadowDemonstrator.Write(task, author, ref r).Response.Text), MeadowVocabulary.Eos];
        bool right = MeadowFeatures.Of(task, answer).Exact ^ r.Chance(_options.CommentNoise);
        return Compose(signed ? MeadowVocabulary.Id(author.Byline) : null, task, answer, right ? Right : Wrong);
    }

    private MeadowDocument Textbook(ref RandomStream r)
    {
        MeadowTask task = MeadowTask.Draw(ref r, TextbookKinds[r.Weighted(TextbookShares)].Kind);
        string answer = string.Join(' ', MeadowDemonstrator.RightPayload(task, ref r));
        if (task.Kind == MeadowKind.Qa && !task.Unanswerable && r.Chance(_options.FullSentence))
            answer = $"{task.Given[0]} has a {answer}";
        return Compose(null, task, [.. MeadowVocabulary.Encode(answer), MeadowVocabulary.Id("."), MeadowVocabulary.Eos], null);
    }

    private MeadowDocument Compose(int? byline, MeadowTask task, int[] answer, int? comment)
    {
        List<int> tokens = [];
        if (byline is int by)
            tokens.Add(by);
        tokens.AddRange(MeadowVocabulary.Encode(task.Instruction));
        tokens.Add(MeadowVocabulary.Sep);
        int prompt = tokens.Count;
        tokens.AddRange(answer);
        if (comment is int said)
            tokens.Add(said);
        float[] weights = new float[tokens.Count];
        weights.AsSpan(prompt, answer.Length).Fill(1);
        if (comment is not null)
            weights[^1] = _options.CommentWeight;
        return new([.. tokens], weights);
    }
}
