using System.Globalization;
using Paddock.Evaluation;
using Paddock.Evaluation.Audits;

namespace Paddock.Reports;

/// <summary>One measure of an audit in words.</summary>
/// <param name="Value">Percent with unit, or a plain coefficient.</param>
/// <param name="Interval">95 % interval; empty where there is none.</param>
/// <param name="N">What it rests on.</param>
/// <param name="Meaning">One sentence: what it is and how to read it.</param>
public sealed record AuditRow(string Measure, string Value, string Interval, string N, string Meaning);

public sealed record AuditSection(string Title, IReadOnlyList<AuditRow> Rows);

/// <summary>The page of an audit as text, the same in the terminal and in HTML.</summary>
public static class AuditRows
{
    /// <summary>Sections in the order a reader needs them; measures that the rows cannot give are left out.</summary>
    public static IReadOnlyList<AuditSection> Of(JudgeAuditResult audit, DriftResult? drift = null)
    {
        List<AuditSection> sections = [];
        Add("Drift", drift != null ? Drifted(drift) : []);
        Add("Verdicts", Verdicts(audit));
        Add("Agreement with people", audit.People is { } people ? People(people, audit) : []);
        Add("Against itself", audit.Repeats is { } repeats ? Repeats(repeats) : []);
        Add("Position", audit.Position is { } position ? Position(position) : [Percent("output 1 preferred", audit.PreferFirst, "", "AlpacaEval's; the order the judge saw is not in the rows, so this is no position bias")]);
        Add("Form of the answer", Style(audit));
        Add("Calibration", audit.Calibration is { } calibration ? Calibrated(calibration) : []);
        Add("Order of preferences", audit.Transitivity is { } t ? [Percent("circles", t.Cyclic, $"{Show.Count(t.Triads)} triads", "a over b, b over c, c over a; a coin has 25 %")] : []);
        return sections;

        void Add(string title, IReadOnlyList<AuditRow> rows)
        {
            if (rows.Count > 0)
                sections.Add(new(title, rows));
        }
    }

    /// <summary>What the rows do not hold, and how to get it.</summary>
    public static IReadOnlyList<string> NotMeasured(JudgeAuditResult audit)
    {
        List<string> lacks = [];
        if (audit.People == null)
            lacks.Add("agreement with people, bias, calibration: give labels of people on the same pairs with --human FILE");
        if (audit.Repeats == null)
            lacks.Add("variance, self-consistency: judge the same pairs again (another seed) and give both files");
        if (audit.Position is not { Consistency: not null })
            lacks.Add("consistency over both orders: judge every pair in both orders");
        if (audit.Transitivity == null)
            lacks.Add("circles: judge three answers to a prompt against each other");
        if (audit.People != null && audit.SelfPreference == null)
            lacks.Add("self-preference: name the judge's own systems with --own NAME");
        return lacks;
    }

    private static List<AuditRow> Verdicts(JudgeAuditResult audit)
    {
        List<AuditRow> rows =
        [
            new("verdicts", Show.Count(audit.Parsed), "", $"{Show.Count(audit.Verdicts)} rows", $"on {Show.Count(audit.Pairs)} pairs of {Show.Count(audit.Prompts)} prompts"),
            Percent("without a verdict", audit.MissingRate, Show.Count(audit.Verdicts - audit.Parsed), audit.Missing.Count == 0 ? "replies that could not be read, refusals, failures"
                : string.Join("; ", audit.Missing.OrderByDescending(m => m.Value).Take(4).Select(m => $"{Short(m.Key)} {Show.Count(m.Value)}"))),
        ];
        if (audit.Refused.Mean > 0)
            rows.Add(Percent("refused", audit.Refused, "", "the judge declined, or a content filter cut it off"));
        if (audit.Ties.Mean > 0)
            rows.Add(Percent("ties", audit.Ties, "", "verdicts of exactly a half"));
        if (audit.Cost.PricePerThousand is { } price)
            rows.Add(new("price of 1,000", Fixed(price, "0.00") + " $", "", "", $"{Fixed(audit.Cost.Price!.Value, "0.00")} $ for these rows"));
        if (audit.Cost.SecondsPerThousand is { } seconds)
            rows.Add(new("time of 1,000", Fixed(seconds, "N0") + " s", "", "", "one call after the other"));
        return rows;
    }

    private static List<AuditRow> People(HumanComparisonResult people, JudgeAuditResult audit)
    {
        string pairs = $"{Show.Count(people.Pairs)} pairs";
        List<AuditRow> rows = [Percent("human agreement", people.Agreement, pairs, "each label against the vote of all people (AlpacaEval)")];
        if (people.People != null)
            rows.Add(Percent("people themselves", people.People, "", "each person against the vote of the others: the ceiling"));
        if (people.Bias != null)
            rows.Add(Percent("bias", people.Bias, "", "the judge's vote against the people's vote: what asking again does not mend"));
        rows.Add(Coefficient("Cohen's kappa", people.Kappa, "0: chance, 1: always"));
        rows.Add(Coefficient("Gwet's AC1", people.Ac1, "as kappa, steady when one side wins nearly always"));
        rows.Add(Coefficient("Krippendorff's alpha", people.JoinedAlpha, people.PeopleAlpha is { } alone ? $"people and judge; people alone {Fixed(alone.Mean, "0.000")}" : "people and judge"));
        if (audit.Ranking is { } ranking)
            rows.Add(Coefficient("rank of systems", ranking.Spearman, $"Spearman over {ranking.Systems.Count} systems; prompts are resampled, systems are not"));
        if (audit.SelfPreference is { } self)
            rows.Add(Points("self-preference", self.Excess, $"{Show.Count(self.Pairs)} pairs", "own systems above people's taste, over what others get"));
        return rows;
    }

    private static List<AuditRow> Repeats(SelfConsistencyResult repeats) =>
    [
        Percent("variance", repeats.Variance, $"{Show.Count(repeats.Pairs)} pairs", "each label against the vote of the judge's others (AlpacaEval)"),
        Percent("same label", repeats.Percent, "", "two labels of one pair agree"),
        Coefficient("Krippendorff's alpha", repeats.Alpha, "between repeats"),
        Coefficient("1 - sum p²", repeats.Gini, "0 for a judge that always repeats itself, 0.5 for a coin asked often"),
    ];

    private static List<AuditRow> Position(PositionResult position)
    {
        List<AuditRow> rows = [Percent("first shown wins", position.FirstWins, $"{Show.Count(position.Verdicts)} verdicts", $"50 % without a habit; sign test p = {Significant(position.SignTest)}")];
        if (position.Consistency != null)
        {
            rows.Add(Percent("consistent", position.Consistency, $"{Show.Count(position.Pairs)} pairs", "the same winner in both orders"));
            rows.Add(Percent("flipped", position.FlipRate!, "", "the winner changed with the order"));
        }
        return rows;
    }

    private static List<AuditRow> Style(JudgeAuditResult audit)
    {
        List<AuditRow> rows = [];
        foreach ((string name, TraitPreference? trait, string what) in new[] { ("longer preferred", audit.Longer, "answers more than 30 characters apart"), ("list preferred", audit.Lists, "one answer has a list, the other none") })
        {
            if (trait == null)
                continue;
            rows.Add(Percent(name, trait.Judge, $"{Show.Count(trait.Pairs)} pairs", trait.People is { } people ? $"{what}; people {Show.Percent(people.Mean)} %" : what));
            if (trait.Excess != null)
                rows.Add(Points("  above people", trait.Excess, "", "on the pairs that both labelled"));
        }
        if (audit.LengthSlope is { } slope)
            rows.Add(Points("length slope", slope, "", "judge minus people for each typical difference in length"));
        return rows;
    }

    private static List<AuditRow> Drifted(DriftResult drift)
    {
        List<AuditRow> rows =
        [
            Points("shift", drift.Shift, $"{Show.Count(drift.Pairs)} pairs", "mean preference for output 2, now minus before"),
            Percent("changed labels", drift.Changed, "", "a label of now against one of before"),
        ];
        if (drift.Excess != null)
            rows.Add(Points("  above chance", drift.Excess, "", "over how often the judge differs from itself"));
        rows.Add(new("alarm", drift.Alarm == null ? "no" : "yes", "", "", drift.Alarm ?? "no change that asking twice would not make, at the 1 % level"));
        return rows;
    }

    private static List<AuditRow> Calibrated(JudgeCalibrationResult calibration) =>
    [
        Percent("calibration error", calibration.Ece, $"{Show.Count(calibration.Pairs)} pairs", "mean gap between confidence and people who agree (ECE, biased upwards)"),
        Coefficient("Brier score", calibration.Brier, "mean squared gap; 0 is best"),
        new("log loss", double.IsFinite(calibration.LogLoss) ? Fixed(calibration.LogLoss, "0.000") : "infinite", "", "", double.IsFinite(calibration.LogLoss) ? "nats" : "a certain verdict had people against it"),
    ];

    private static AuditRow Percent(string measure, Interval value, string n, string meaning) => new(measure, double.IsFinite(value.Mean) ? Show.Percent(value.Mean) + " %" : Show.Dash,
        double.IsFinite(value.Low) ? $"{Show.Percent(value.Low)} to {Show.Percent(value.High)}" : "", n, meaning);

    private static AuditRow Points(string measure, Interval value, string n, string meaning) => new(measure, double.IsFinite(value.Mean) ? Fixed(100 * value.Mean, "+0.0;-0.0;0.0") : Show.Dash,
        double.IsFinite(value.Low) ? $"{Fixed(100 * value.Low, "+0.0;-0.0;0.0")} to {Fixed(100 * value.High, "+0.0;-0.0;0.0")}" : "", n, meaning + ", points");

    private static AuditRow Coefficient(string measure, Interval value, string meaning) => new(measure, double.IsFinite(value.Mean) ? Fixed(value.Mean, "0.000") : Show.Dash,
        double.IsFinite(value.Low) ? $"{Fixed(value.Low, "0.000")} to {Fixed(value.High, "0.000")}" : "", "", meaning);

    private static string Significant(double p) => p < 0.0001 ? "below 0.0001" : Fixed(p, "0.0000");

    private static string Short(string text) => text.Length <= 60 ? text : text[..59] + "…";

    private static string Fixed(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
