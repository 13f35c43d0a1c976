using System.Text;

namespace Paddock.Reports.Charts;

/// <summary>One metric of one stage: a line for every seed. Values that are not finite are left out.</summary>
public sealed record Curve(string Metric, IReadOnlyList<IReadOnlyList<(int Step, double Value)>> Lines)
{
    /// <summary>Most curves that a stage shows.</summary>
    public const int PerStage = 4;

    private const int MaxPoints = 160;

    // what a reader looks at first; metrics that are not named here come before the last two
    private static readonly string[] First =
    [
        "loss", "eval_loss", "objective/scores", "reward", "accuracy", "rewards/accuracies", "rewards/margins", "margin", "objective/kl", "kl",
        "rewards/chosen", "rewards/rejected", "mean_reward", "bon/reward_selected", "bon/reward_mean", "mean_token_accuracy", "entropy",
    ];

    // of the metrics that have one; rewards and margins are scores, in units of nothing
    private static readonly Dictionary<string, string> Units = new(StringComparer.Ordinal)
    {
        ["loss"] = "nats",
        ["eval_loss"] = "nats",
        ["kl"] = "nats",
        ["objective/kl"] = "nats",
        ["entropy"] = "nats a token",
        ["mean_token_accuracy"] = "share of tokens",
        ["accuracy"] = "share of pairs",
        ["rewards/accuracies"] = "share of pairs",
    };

    private static readonly string[] Last = ["learning_rate", "grad_norm"];
    private static readonly string[] Never = ["epoch", "num_tokens", "step"];

    /// <summary>What its values are measured in; null for a pure number.</summary>
    internal string? Unit => Units.GetValueOrDefault(Metric);

    /// <summary>The curves of a stage that are shown, most important first; none when nothing was measured at two steps.</summary>
    internal static IReadOnlyList<Curve> Of(string stage, IReadOnlyList<StudySummary> seeds)
    {
        IReadOnlyDictionary<string, IReadOnlyList<(int, double)>>[] runs = [.. seeds.SelectMany(s => s.Stages).Where(s => s.Name == stage).Select(s => s.Curves)];
        IEnumerable<string> metrics = runs.SelectMany(r => r.Keys).Distinct(StringComparer.Ordinal).Except(Never, StringComparer.Ordinal)
            .OrderBy(Rank).ThenBy(m => m, StringComparer.Ordinal);
        return [.. metrics.Select(m => new Curve(m, [.. runs.Where(r => r.ContainsKey(m)).Select(r => Finite(r[m])).Where(l => l.Count > 1)])).Where(c => c.Lines.Count > 0).Take(PerStage)];
    }

    /// <summary>At most about 160 points of a line: of every stretch its lowest and highest, so that no spike is lost.</summary>
    internal static IReadOnlyList<(int Step, double Value)> Thin(IReadOnlyList<(int Step, double Value)> line)
    {
        if (line.Count <= MaxPoints)
            return line;
        const int Stretches = MaxPoints / 2;
        List<(int, double)> kept = [];
        for (int s = 0; s < Stretches; s++)
        {
            int from = (int)((long)s * line.Count / Stretches), to = (int)((long)(s + 1) * line.Count / Stretches), low = from, high = from;
            for (int i = from; i < to; i++)
            {
                low = line[i].Value < line[low].Value ? i : low;
                high = line[i].Value > line[high].Value ? i : high;
            }
            kept.Add(line[Math.Min(low, high)]);
            if (low != high)
                kept.Add(line[Math.Max(low, high)]);
        }
        return kept;
    }

    /// <summary>
    /// The straight line that fits best over the nearest tenth of the steps, at no more than 160 places. Away from the ends that is the
    /// moving average; at the ends it follows the slope, where an average would lag behind. It stays within the values it is made of.
    /// </summary>
    internal static IReadOnlyList<(int Step, double Value)> Smooth(IReadOnlyList<(int Step, double Value)> line)
    {
        int reach = line.Count / 20, places = Math.Min(line.Count, MaxPoints);
        List<(int, double)> smooth = [];
        for (int p = 0; p < places; p++)
        {
            int at = places == 1 ? 0 : (int)((long)p * (line.Count - 1) / (places - 1)), from = Math.Clamp(at - reach, 0, line.Count - 1 - 2 * reach), to = from + 2 * reach;
            double centre = (from + to) / 2.0, sum = 0, rise = 0, square = 0, low = line[from].Value, high = low;
            for (int i = from; i <= to; i++)
            {
                double value = line[i].Value;
                sum += value;
                rise += (i - centre) * value;
                square += (i - centre) * (i - centre);
                (low, high) = (Math.Min(low, value), Math.Max(high, value));
            }
            smooth.Add((line[at].Step, Math.Clamp(sum / (to - from + 1) + (square > 0 ? rise / square * (at - centre) : 0), low, high)));
        }
        return smooth;
    }

    /// <summary>The data of an SVG path through these points.</summary>
    internal static string Path(IReadOnlyList<(int Step, double Value)> line, Axis x, Axis y)
    {
        StringBuilder path = new();
        foreach ((int step, double value) in line)
            path.Append(path.Length == 0 ? 'M' : 'L').Append(x.Text(step)).Append(' ').Append(y.Text(value));
        return path.ToString();
    }

    // a value near the end of double's range would overflow the sums and the scale
    private static List<(int Step, double Value)> Finite(IReadOnlyList<(int Step, double Value)> line) => [.. line.Where(p => Math.Abs(p.Value) < 1e100)];

    private static int Rank(string metric)
    {
        int first = Array.IndexOf(First, metric), last = Array.IndexOf(Last, metric);
        return first >= 0 ? first : last >= 0 ? First.Length + 1 + last : First.Length;
    }
}
