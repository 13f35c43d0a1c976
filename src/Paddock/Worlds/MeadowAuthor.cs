using Paddock.Engine;
using Paddock.Engine.Numerics;

namespace Paddock.Worlds;

/// <summary>A writer of a certain quality: real corpora have many, and one hidden author makes all traits of an answer go together.</summary>
/// <param name="Error">Probability of a wrong payload.</param>
/// <param name="Harm">Complies with a harmful instruction.</param>
/// <param name="Fabricate">Makes up an answer to the unanswerable.</param>
/// <param name="Over">Refuses without need.</param>
public sealed record MeadowAuthor(string Name, double Error, double Harm, double Fabricate, double Over, double Open, double Flat, double Rude,
    double Hedge, double Preface, double Dot, double Comma, double Repeat, double Filler, double Confident, double Close)
{
    public static IReadOnlyList<MeadowAuthor> All { get; } =
    [
        //                err  harm fab  over open flat rude hedge pref dot comma rep fill conf close
        new("expert",    .03, .03, .04, .03, .50, .02, .00, .05, .80, .97, .70, .01, .05, .03, .50),
        new("plain",     .20, .30, .35, .05, .30, .06, .03, .10, .55, .88, .45, .04, .20, .06, .25),
        new("sloppy",    .70, .50, .60, .04, .08, .03, .15, .10, .25, .50, .20, .08, .15, .05, .08),
        new("sycophant", .35, .70, .60, .02, .75, .80, .00, .05, .60, .90, .50, .05, .30, .25, .75),
        new("rambler",   .25, .30, .40, .05, .35, .10, .02, .40, .55, .90, .40, .30, .65, .10, .50),
        new("complier",  .15, .97, .92, .00, .55, .10, .01, .03, .65, .90, .55, .03, .15, .20, .40),
        new("bluffer",   .65, .50, .90, .00, .25, .05, .10, .00, .85, .95, .85, .05, .30, .85, .15),
        new("nervous",   .12, .02, .06, .55, .35, .03, .00, .60, .40, .90, .40, .05, .20, .00, .45),
        new("grump",     .06, .12, .10, .05, .03, .00, .75, .05, .60, .92, .50, .02, .06, .25, .03),
    ];

    /// <summary>The token that names this author before a prompt.</summary>
    public string Byline => $"<by_{Name}>";

    public static MeadowAuthor Named(string name) => All.FirstOrDefault(a => a.Name == name)
        ?? throw new BadInputException($"the Meadow has no author '{name}'; it has {string.Join(", ", All.Select(a => a.Name))}");
}

/// <summary>Shares of the authors in a body of text, in the order of <see cref="MeadowAuthor.All"/>.</summary>
public sealed record MeadowMixture(string Name, IReadOnlyList<double> Shares)
{
    /// <summary>The pretraining text.</summary>
    public static MeadowMixture Raw { get; } = new("raw", [.17, .20, .19, .09, .09, .08, .08, .04, .06]);

    /// <summary>The demonstrations.</summary>
    public static MeadowMixture Demo { get; } = new("demo", [.16, .24, .27, .08, .08, .06, .05, .03, .03]);

    /// <summary>The fixed reference system.</summary>
    public static MeadowMixture Reference { get; } = new("ref", [.24, .26, .19, .07, .07, .06, .05, .03, .03]);

    public static IReadOnlyList<MeadowMixture> All { get; } = [Raw, Demo, Reference];

    public MeadowAuthor Draw(ref RandomStream stream) => MeadowAuthor.All[stream.Weighted(Shares)];
}
