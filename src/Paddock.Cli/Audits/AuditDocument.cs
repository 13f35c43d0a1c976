using System.Text.Json;
using System.Text.Json.Serialization;
using Paddock.Evaluation;
using Paddock.Evaluation.Audits;

namespace Paddock.Cli.Audits;

/// <summary>
/// The last line of standard output of <c>audit --json</c>: AlpacaEval's names and its scales (<c>variance</c>, <c>bias</c> and
/// <c>human_agreement</c> in percent, the rest fractions). What the rows cannot say is null. Documented in docs/json.md and held by a test.
/// </summary>
internal sealed record AuditDocument(string Judge, int NVerdicts, int NParsed, int NPairs, int NPrompts, double? HumanAgreement, double? Bias, double? Variance, double? ProbaPreferLonger,
    double? ProbaPreferList, [property: JsonPropertyName("proba_prefer_1")] double? ProbaPrefer1, double? PricePerThousand, double? SecondsPerThousand, double? Price, double? MissingRate,
    IReadOnlyDictionary<string, int> Missing, double? RefusalRate, double? TieRate, AgreementDocument Agreement, PositionDocument? Position, StyleDocument Style, SelfPreferenceDocument? SelfPreference,
    CalibrationDocument? Calibration, TransitivityDocument? Transitivity, SelfConsistencyDocument? SelfConsistency, RankingDocument? Ranking, DriftDocument? Drift, string? Report, ulong Seed, int Resamples);

/// <param name="Low">Of the 95 % interval, as <paramref name="High"/>; null where there is none.</param>
/// <param name="N">Prompts.</param>
internal sealed record IntervalDocument(double? Mean, double? Se, double? Low, double? High, int N, string Method)
{
    public static IntervalDocument? Of(Interval? interval) => interval == null ? null
        : new(Finite(interval.Mean), Finite(interval.StandardError), Finite(interval.Low), Finite(interval.High), interval.N, interval.Method);

    public static double? Finite(double? value) => value is { } number && double.IsFinite(number) ? number : null;
}

/// <param name="Human">Against the people's vote; null without <c>--human</c>.</param>
/// <param name="Self">Between labels of the same pair; null without repeats.</param>
internal sealed record AgreementDocument(HumanDocument? Human, SelfDocument? Self);

/// <param name="HumanAgreement">AlpacaEval's, as a fraction.</param>
/// <param name="People">Each person against the vote of the others.</param>
internal sealed record HumanDocument(int NPairs, IntervalDocument? HumanAgreement, IntervalDocument? People, IntervalDocument? Bias, IntervalDocument? Percent, IntervalDocument? CohenKappa,
    IntervalDocument? GwetAc1, IntervalDocument? KrippendorffAlpha, IntervalDocument? PeopleAlpha);

internal sealed record SelfDocument(int NPairs, IntervalDocument? Percent, IntervalDocument? OneVersusOne, IntervalDocument? KrippendorffAlpha);

internal sealed record PositionDocument(int NVerdicts, int NPairs, IntervalDocument? FirstWins, double Primacy, double SignTest, IntervalDocument? Consistency, IntervalDocument? FlipRate,
    IntervalDocument? BothOrders);

/// <param name="LengthSlope">Of judge minus people on the difference in length, in units of its root mean square.</param>
internal sealed record StyleDocument(TraitDocument? Longer, TraitDocument? Lists, IntervalDocument? LengthSlope);

internal sealed record TraitDocument(int NPairs, IntervalDocument? Judge, IntervalDocument? People, IntervalDocument? Excess);

internal sealed record SelfPreferenceDocument(int NPairs, IntervalDocument? Own, IntervalDocument? Others, IntervalDocument? Excess);

internal sealed record CalibrationDocument(int NPairs, IntervalDocument? Ece, IntervalDocument? Brier, double? LogLoss, double Mce, IReadOnlyList<ReliabilityDocument> Reliability);

internal sealed record ReliabilityDocument(double Confidence, double Agreed, double Low, double High, int N);

internal sealed record TransitivityDocument(int NTriads, IntervalDocument? Cyclic);

internal sealed record SelfConsistencyDocument(int NPairs, IntervalDocument? Variance, IntervalDocument? Gini);

internal sealed record RankingDocument(IntervalDocument? Spearman, IntervalDocument? Pearson, IReadOnlyList<RankedSystemDocument> Systems);

internal sealed record RankedSystemDocument(string System, double Judge, double People, int N);

/// <param name="Alarm">Why the change cannot be chance; null when it can.</param>
internal sealed record DriftDocument(int NPairs, IntervalDocument? Shift, IntervalDocument? Changed, IntervalDocument? Excess, string? Alarm);

/// <summary>The last line of <c>judges --json</c>.</summary>
internal sealed record JudgesDocument(IReadOnlyList<AuditDocument> Judges, string Order);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(AuditDocument))]
[JsonSerializable(typeof(JudgesDocument))]
internal sealed partial class AuditJson : JsonSerializerContext;

internal static class AuditDocuments
{
    public static AuditDocument Of(JudgeAuditResult audit, AuditSettings settings, string? report, DriftResult? drift = null)
    {
        HumanComparisonResult? people = audit.People;
        SelfConsistencyResult? self = audit.Repeats;
        return new(audit.Judge, audit.Verdicts, audit.Parsed, audit.Pairs, audit.Prompts, Percent(people?.Agreement), Percent(people?.Bias), Percent(self?.Variance),
            Mean(audit.Longer?.Judge), Mean(audit.Lists?.Judge), Mean(audit.PreferFirst), audit.Cost.PricePerThousand, audit.Cost.SecondsPerThousand, audit.Cost.Price, Mean(audit.MissingRate),
            audit.Missing, Mean(audit.Refused), Mean(audit.Ties),
            new(people == null ? null : new(people.Pairs, Of(people.Agreement), Of(people.People), Of(people.Bias), Of(people.Percent), Of(people.Kappa), Of(people.Ac1), Of(people.JoinedAlpha), Of(people.PeopleAlpha)),
                self == null ? null : new(self.Pairs, Of(self.Percent), Of(self.OneVersusOne), Of(self.Alpha))),
            audit.Position is { } p ? new(p.Verdicts, p.Pairs, Of(p.FirstWins), p.Primacy, p.SignTest, Of(p.Consistency), Of(p.FlipRate), Of(p.BothOrders)) : null,
            new(Of(audit.Longer), Of(audit.Lists), Of(audit.LengthSlope)),
            audit.SelfPreference is { } own ? new(own.Pairs, Of(own.Own), Of(own.Others), Of(own.Excess)) : null,
            audit.Calibration is { } c ? new(c.Pairs, Of(c.Ece), Of(c.Brier), IntervalDocument.Finite(c.LogLoss), c.Mce,
                [.. c.Reliability.Select(b => new ReliabilityDocument(b.Confidence, b.Agreed.Mean, b.Agreed.Low, b.Agreed.High, b.Agreed.N))]) : null,
            audit.Transitivity is { } t ? new(t.Triads, Of(t.Cyclic)) : null,
            self == null ? null : new(self.Pairs, Of(self.Variance), Of(self.Gini)),
            audit.Ranking is { } r ? new(Of(r.Spearman), Of(r.Pearson), [.. r.Systems.Select(s => new RankedSystemDocument(s.System, s.Judge, s.People, s.Pairs))]) : null,
            drift is { } d ? new(d.Pairs, Of(d.Shift), Of(d.Changed), Of(d.Excess), d.Alarm) : null, report, settings.Seed, settings.Resamples);
    }

    public static string Serialize(AuditDocument document) => JsonSerializer.Serialize(document, AuditJson.Default.AuditDocument);

    public static string Serialize(JudgesDocument document) => JsonSerializer.Serialize(document, AuditJson.Default.JudgesDocument);

    private static IntervalDocument? Of(Interval? interval) => IntervalDocument.Of(interval);

    private static TraitDocument? Of(TraitPreference? trait) => trait == null ? null : new(trait.Pairs, Of(trait.Judge), Of(trait.People), Of(trait.Excess));

    private static double? Mean(Interval? interval) => IntervalDocument.Finite(interval?.Mean);

    private static double? Percent(Interval? interval) => IntervalDocument.Finite(100 * interval?.Mean);
}
