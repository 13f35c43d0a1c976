namespace Paddock.Evaluation.Audits;

/// <summary>One verdict on two answers to one prompt, of a judge or of a person, as an audit reads it.</summary>
/// <param name="Prompt">The whole prompt; what intervals resample.</param>
/// <param name="Score">Probability in [0, 1] that <paramref name="Second"/> is better, 1/2 for a tie (AlpacaEval's preference - 1); null when there is no verdict.</param>
public sealed record PairVerdict(string Prompt, string First, string Second, double? Score)
{
    /// <summary>System that gave the first answer, where known.</summary>
    public string? FirstBy { get; init; }

    public string? SecondBy { get; init; }

    /// <summary>Name of whoever judged.</summary>
    public string? Judge { get; init; }

    /// <summary>What the judge said in each order it saw the answers in; null where the order is not known.</summary>
    public IReadOnlyList<ShownVerdict>? Shown { get; init; }

    /// <summary>Why there is no verdict.</summary>
    public string? Missing { get; init; }

    /// <summary>Dollars.</summary>
    public double? Price { get; init; }

    public double? Seconds { get; init; }
}

/// <summary>A verdict in one order of showing.</summary>
/// <param name="Swapped">Whether the second answer was shown first.</param>
/// <param name="Score">That the second answer is better, in the row's own order whatever was shown.</param>
public readonly record struct ShownVerdict(bool Swapped, double Score);

/// <summary>Two answers in the order they are written in, and every label they got, in the order read; null is a missing verdict.</summary>
internal sealed record JudgedPair(string Prompt, string First, string Second, string? FirstBy, string? SecondBy)
{
    public List<double?> Labels { get; } = [];

    /// <summary>The labels that are there.</summary>
    public double[] Known => [.. Labels.Where(l => l != null).Select(l => l!.Value)];
}

/// <summary>Verdicts by pair. AlpacaEval's key: prompt and both answers, in order; the k-th row of a pair is its k-th label.</summary>
internal sealed class PairTable
{
    private readonly Dictionary<(string, string, string), JudgedPair> _byKey = [];
    private readonly List<JudgedPair> _pairs = [];

    public PairTable(IEnumerable<PairVerdict> verdicts)
    {
        foreach (PairVerdict verdict in verdicts)
        {
            if (!_byKey.TryGetValue((verdict.Prompt, verdict.First, verdict.Second), out JudgedPair? pair))
            {
                pair = new(verdict.Prompt, verdict.First, verdict.Second, verdict.FirstBy, verdict.SecondBy);
                _byKey.Add((verdict.Prompt, verdict.First, verdict.Second), pair);
                _pairs.Add(pair);
            }
            pair.Labels.Add(verdict.Score);
        }
    }

    /// <summary>In order of first appearance.</summary>
    public IReadOnlyList<JudgedPair> Pairs => _pairs;

    /// <summary>The labels that this table has for these answers in either order, turned so that a label is for <paramref name="second"/>.</summary>
    public double[] LabelsFor(string prompt, string first, string second)
    {
        double[] straight = _byKey.TryGetValue((prompt, first, second), out JudgedPair? pair) ? pair.Known : [];
        if (first == second || !_byKey.TryGetValue((prompt, second, first), out JudgedPair? turned))
            return straight;
        return [.. straight, .. turned.Known.Select(label => 1 - label)];
    }
}
