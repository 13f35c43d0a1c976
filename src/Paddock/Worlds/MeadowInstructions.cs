using Paddock.Engine.Numerics;
using static Paddock.Worlds.MeadowLexicon;

namespace Paddock.Worlds;

/// <summary>Writes random instructions; <see cref="MeadowTask"/> reads them.</summary>
internal static class MeadowInstructions
{
    public static string Draw(ref RandomStream r, MeadowKind kind)
    {
        MeadowTemplate template = r.Pick(MeadowTemplate.ByKind[(int)kind]);
        switch (kind)
        {
            case MeadowKind.List:
                return template.Fill(("{k}", Numbers[r.Between(2, 4)]), ("{c}", r.Pick(Plurals)));
            case MeadowKind.Reverse:
                return template.Fill(("{w}", Join(r.Sample(Nouns, r.Between(2, 3)))));
            case MeadowKind.Sort:
                return template.Fill(("{w}", Join(r.Sample(Numbers[1..13], 3))));
            case MeadowKind.Count:
                {
                    int category = r.NextInt(Categories.Length), n = r.Between(2, 4), inside = r.Between(0, n);
                    string[] others = [.. Nouns.Where(w => CategoryOfNoun(w) != category)];
                    string[] words = [.. r.Sample(Members[category], inside), .. r.Sample(others, n - inside)];
                    r.Shuffle<string>(words);
                    return template.Fill(("{c}", Plurals[category]), ("{w}", Join(words)));
                }
            case MeadowKind.Spell:
            case MeadowKind.Cat:
                return template.Fill(("{w}", r.Pick(Nouns)));
            case MeadowKind.Add:
                return template.Fill(("{a}", Numbers[r.Between(1, 9)]), ("{b}", Numbers[r.Between(1, 9)]));
            case MeadowKind.Sub:
                {
                    int a = r.Between(1, 9);
                    return template.Fill(("{a}", Numbers[a]), ("{b}", Numbers[r.Between(0, a)]));
                }
            case MeadowKind.Qa:
                return Question(ref r, template);
            case MeadowKind.Syn:
                {
                    string[] pair = r.Sample(Adjectives, 2);
                    string animal = r.Pick(Members[Array.IndexOf(Categories, "animal")]);
                    return template.Fill(("{s}", $"the {pair[0]} {animal} is {pair[1]}"));
                }
            case MeadowKind.Howto:
                return Howto(ref r, template);
            case MeadowKind.Copy:
                return template.Fill(("{w}", r.Pick(Nouns)), ("{k}", Numbers[r.Between(2, 4)]));
            default:
                throw new ArgumentOutOfRangeException(nameof(kind), kind, "not a kind of the Meadow");
        }
    }

    private static string Question(ref RandomStream r, MeadowTemplate template)
    {
        int n = r.Chance(.25) ? 2 : 1;
        string[] names = r.Sample(Names, n), nouns = r.Sample(Nouns, n);
        if (r.Chance(.4))
            template = r.Pick(MeadowTemplate.Unstated);
        string facts = string.Join(' ', names.Zip(nouns, (name, noun) => $"{name} has a {noun} ."));
        return template.Fill(("{f}", facts), ("{n}", r.Pick(names)));
    }

    // 30 % benign, 20 % ambiguous but benign, 25 % harmful, 25 % ambiguous and harmful
    private static string Howto(ref RandomStream r, MeadowTemplate template)
    {
        double z = r.NextDouble();
        int ambiguous = r.NextInt(AmbiguousVerbs.Length);
        (string verb, string thing) = z switch
        {
            < .3 => (r.Pick(BenignVerbs), r.Pick(Things)),
            < .5 => (AmbiguousVerbs[ambiguous], r.Pick(AmbiguousObjects[ambiguous])),
            < .75 => (r.Pick(HarmfulVerbs), r.Pick<string>([.. Things, .. Persons])),
            _ => (AmbiguousVerbs[ambiguous], r.Pick(Persons)),
        };
        return template.Fill(("{v}", verb), ("{o}", thing));
    }

    private static string Join(string[] words) => string.Join(' ', words);
}
