using Paddock.Data;
using Paddock.Engine.Numerics;
using static Paddock.Worlds.MeadowLexicon;

namespace Paddock.Worlds;

/// <summary>An answer and the hidden author who wrote it.</summary>
public sealed record MeadowAnswer(Response Response, MeadowAuthor Author);

/// <summary>
/// Writes answers of a given quality. Six in ten errors are the kind's own systematic mistake, so errors are a concentrated mode that a
/// low temperature does not remove; the rest are random corruptions.
/// </summary>
public static class MeadowDemonstrator
{
    /// <summary>Share of errors that are the kind's systematic one.</summary>
    public const double LazyShare = .6;

    public static MeadowAnswer Write(MeadowTask task, MeadowMixture mixture, ref RandomStream stream) =>
        Write(task, mixture.Draw(ref stream), ref stream);

    public static MeadowAnswer Write(MeadowTask task, MeadowAuthor author, ref RandomStream stream) =>
        new(new Response(string.Join(' ', Style(task, author, Payload(task, author, ref stream), ref stream))), author);

    /// <summary>A right answer without any style: the payload, a full stop.</summary>
    internal static string[] RightPayload(MeadowTask task, ref RandomStream r) =>
        task.Harmful ? Words(r.Pick(Refusal)) : task.Unanswerable ? Words(r.Pick(Unknown))
        : task.Kind == MeadowKind.List ? r.Sample(Members[task.CategoryIndex], task.K) : [.. task.Gold];

    private static string[] Payload(MeadowTask task, MeadowAuthor author, ref RandomStream r)
    {
        bool wrong = r.Chance(author.Error);
        if (task.Harmful)
            return r.Chance(author.Harm) ? [.. task.Facts!] : RightPayload(task, ref r);
        if (task.Unanswerable)
            return r.Chance(author.Fabricate) ? [r.Pick(task.Facts!)] : RightPayload(task, ref r);
        if (r.Chance(author.Over) && task.Kind is MeadowKind.Qa or MeadowKind.Howto or MeadowKind.Add or MeadowKind.Count)
            return Words(task.Kind == MeadowKind.Howto ? Refusal[0] : Unknown[0]);
        if (!wrong)
            return RightPayload(task, ref r);
        return r.Chance(LazyShare) ? Lazy(task, ref r) : Corrupt(task, ref r);
    }

    /// <summary>The mistake that everyone makes at this kind.</summary>
    internal static string[] Lazy(MeadowTask task, ref RandomStream r)
    {
        string[] gold = [.. task.Gold];
        return task.Kind switch
        {
            MeadowKind.List => r.Sample(Members[task.CategoryIndex], task.K - 1),
            MeadowKind.Reverse or MeadowKind.Sort or MeadowKind.Syn => [.. task.Given],
            MeadowKind.Count => [Numbers[task.Given.Count]],
            MeadowKind.Spell or MeadowKind.Copy => gold[..^1],
            MeadowKind.Add => [Numbers[Math.Min(18, Number(gold[0]) + 1)]],
            MeadowKind.Sub => [task.Given[0]],
            MeadowKind.Qa => [task.Facts!.Reverse().FirstOrDefault(w => w != gold[0]) ?? Nouns[(Array.IndexOf(Nouns, gold[0]) + 1) % Nouns.Length]],
            MeadowKind.Cat => ["a", Categories[(Array.IndexOf(Categories, gold[1]) + 1) % Categories.Length]],
            MeadowKind.Howto => gold[5..],
            _ => throw new InvalidOperationException($"no lazy mistake for {task.Kind}"),
        };
    }

    private static string[] Corrupt(MeadowTask task, ref RandomStream r)
    {
        string[] gold = [.. task.Gold];
        double z = r.NextDouble();
        switch (task.Kind)
        {
            case MeadowKind.List:
                {
                    string[] members = Members[task.CategoryIndex];
                    if (z < .4)
                        return r.Sample(members, Math.Max(1, task.K + r.Pick([-1, -1, 1])));
                    string[] listed = r.Sample(members, task.K);
                    listed[r.NextInt(task.K)] = z < .7 ? r.Pick(Nouns) : listed[0];
                    return listed;
                }
            case MeadowKind.Reverse:
            case MeadowKind.Sort:
                if (z < .35)
                    r.Shuffle<string>(gold);
                else if (z < .6)
                    SwapNeighbours(gold, ref r);
                else if (z < .8)
                    gold = gold[..^1];
                else
                    Array.Reverse(gold);
                return gold;
            case MeadowKind.Count:
            case MeadowKind.Add:
            case MeadowKind.Sub:
                return [Numbers[Math.Clamp(Number(gold[0]) + r.Pick([-2, -1, 1, 2]), 0, 18)]];
            case MeadowKind.Spell:
                if (z < .4)
                {
                    int drop = r.NextInt(gold.Length);
                    return [.. gold[..drop], .. gold[(drop + 1)..]];
                }
                if (z < .7)
                    SwapNeighbours(gold, ref r);
                else
                    gold[r.NextInt(gold.Length)] = r.Pick(Letters);
                return gold;
            case MeadowKind.Qa:
                {
                    string[] others = [.. task.Facts!.Where(w => w != gold[0])];
                    return [r.Pick(others.Length > 0 ? others : [.. Nouns.Where(w => w != gold[0])])];
                }
            case MeadowKind.Cat:
                return ["a", r.Pick(Categories)];
            case MeadowKind.Syn:
                if (z < .2)
                    return [.. task.Given];
                if (z < .5)
                    gold[z < .35 ? 1 : 4] = task.Given[z < .35 ? 1 : 4];
                else
                    gold[r.Pick([1, 4])] = r.Pick(Synonyms);
                return gold;
            case MeadowKind.Howto:
                gold[3] = r.Pick<string>([.. BenignTools, .. AmbiguousTools]);
                return r.Chance(.6) ? gold : gold[..4];
            case MeadowKind.Copy:
                return [.. Enumerable.Repeat(gold[0], Math.Max(1, gold.Length + r.Pick([-1, 1])))];
            default:
                throw new InvalidOperationException($"no corruption for {task.Kind}");
        }
    }

    private static List<string> Style(MeadowTask task, MeadowAuthor author, string[] payload, ref RandomStream r)
    {
        List<string> o = [];
        if (r.Chance(author.Rude))
            o.AddRange(Words(r.Pick(Rude)));
        else if (r.Chance(author.Open))
            o.AddRange(Words(r.Pick(Open)));
        if (r.Chance(author.Flat))
            o.AddRange(Words(r.Pick(Flat)));
        if (r.Chance(author.Hedge))
            o.AddRange(Words(r.Pick(Hedge)));
        string said = string.Join(' ', payload);
        bool declines = Unknown.Contains(said) || Refusal.Contains(said);
        if (r.Chance(author.Preface) && !declines && task.Kind is not (MeadowKind.Howto or MeadowKind.Syn))
            o.AddRange(Words(r.Pick(Preface)));

        bool sequence = task.Kind is MeadowKind.List or MeadowKind.Reverse or MeadowKind.Sort or MeadowKind.Spell or MeadowKind.Copy;
        string[] core = sequence && r.Chance(author.Comma) ? [.. payload.SelectMany((w, i) => i == 0 ? (string[])[w] : [",", w])] : payload;
        o.AddRange(core);
        if (r.Chance(author.Dot))
            o.Add(".");
        if (r.Chance(author.Repeat))
            o.AddRange([.. Words(Repeat[0]), .. core, "."]);
        while (r.Chance(author.Filler) && o.Count < 22)
            o.AddRange(Words(r.Pick(Filler)));
        if (r.Chance(author.Confident))
            o.AddRange(Words(r.Pick(Confident)));
        if (r.Chance(author.Close))
            o.AddRange(Words(r.Pick(Close)));
        return o.Count < MeadowVocabulary.MaxResponseTokens ? o : o[..(MeadowVocabulary.MaxResponseTokens - 1)];
    }

    private static void SwapNeighbours(string[] words, ref RandomStream r)
    {
        int i = r.NextInt(words.Length - 1);
        (words[i], words[i + 1]) = (words[i + 1], words[i]);
    }
}
