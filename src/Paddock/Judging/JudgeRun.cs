using Paddock.Data;
using Paddock.Storage;

namespace Paddock.Judging;

/// <summary>What a run of a judge came to.</summary>
/// <param name="Kept">Verdicts that an earlier run had written.</param>
/// <param name="Missing">Count of verdicts that are missing, by why.</param>
/// <param name="Price">Of all verdicts in the file, as they would cost without a cache; null when a price is not known.</param>
public sealed record JudgeSummary(string Judge, string Version, long Verdicts, long Kept, long First, long Second, long Ties, IReadOnlyDictionary<string, long> Missing, double? Price, long InputTokens, long OutputTokens);

/// <summary>
/// Judges comparisons into a file of <see cref="VerdictRow"/>, one a comparison, in order. A file that is there is continued behind the last row that
/// this judge would write again, whatever ended the run before: so every comparison has one verdict, no more and no less.
/// </summary>
/// <param name="retryFailed">Judges again what has no verdict because no reply came.</param>
public sealed class JudgeRun(JudgeAnnotator annotator, string path, bool retryFailed = false)
{
    private readonly Dictionary<string, long> _missing = new(StringComparer.Ordinal);
    private long _verdicts, _kept, _first, _second, _ties, _input, _output;
    private double? _price = 0;

    /// <param name="done">Told of every verdict that is written.</param>
    public async Task<JudgeSummary> RunAsync(IEnumerable<Comparison> comparisons, Action<long, JudgeVerdict>? done, CancellationToken cancellation)
    {
        using JsonLines file = JsonLines.OpenAppend(path);
        // rows are matched as they are read: neither the file nor the comparisons need fit into memory
        using IEnumerator<Comparison> rest = comparisons.GetEnumerator();
        bool more = rest.MoveNext();
        foreach (VerdictRow row in Written())
        {
            if (!more || row.Key != VerdictRow.KeyOf(rest.Current, annotator.Judge) || (retryFailed && row.State == VerdictState.Failed))
                break;
            Count(new(row.Preference, row.State, row.Reason, row.Calls));
            _kept++;
            more = rest.MoveNext();
        }
        if (file.Rows > _kept)
            file.TruncateTo(_kept);
        Queue<Comparison> asked = new();
        await foreach (JudgeVerdict verdict in annotator.JudgeAsync(Rest(), cancellation))
        {
            file.Append(VerdictRow.Of(asked.Dequeue(), annotator.Judge, verdict), JudgingJson.Compact.VerdictRow);
            Count(verdict);
            done?.Invoke(_verdicts, verdict);
        }
        file.Flush();
        return new(annotator.Name, annotator.Judge.Version, _verdicts, _kept, _first, _second, _ties, _missing, _price, _input, _output);

        IEnumerable<Comparison> Rest()
        {
            for (; more; more = rest.MoveNext())
            {
                asked.Enqueue(rest.Current);
                yield return rest.Current;
            }
        }
    }

    // a row that cannot be read ends what is kept, as one of another judge does
    private IEnumerable<VerdictRow> Written()
    {
        using IEnumerator<VerdictRow> rows = JsonLines.Read(path, JudgingJson.Compact.VerdictRow).GetEnumerator();
        while (true)
        {
            try
            {
                if (!rows.MoveNext())
                    yield break;
            }
            catch (Engine.BadInputException)
            {
                yield break;
            }
            yield return rows.Current;
        }
    }

    private void Count(JudgeVerdict verdict)
    {
        _verdicts++;
        if (verdict.Preference is not { } preference)
            _missing[JudgeVerdict.Words(verdict.State)] = _missing.GetValueOrDefault(JudgeVerdict.Words(verdict.State)) + 1;
        else if (preference == 1.5)
            _ties++;
        else if (preference < 1.5)
            _first++;
        else
            _second++;
        _price += verdict.Price;
        _input += verdict.Calls.Sum(c => c.InputTokens);
        _output += verdict.Calls.Sum(c => c.OutputTokens);
    }
}
