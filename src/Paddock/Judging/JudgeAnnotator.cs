using System.Runtime.CompilerServices;
using Paddock.Data;
using Paddock.Engine;

namespace Paddock.Judging;

/// <summary>A judge as studies know annotators, many comparisons in flight and verdicts in order.</summary>
/// <param name="inFlight">Comparisons at a time.</param>
public sealed class JudgeAnnotator(IJudge judge, int inFlight, IDisposable? owned = null) : IAnnotator, IDisposable
{
    public string Name => judge.Name;

    public IJudge Judge => judge;

    public async Task<IReadOnlyList<Verdict>> CompareAsync(IReadOnlyList<Comparison> comparisons, CancellationToken cancellation)
    {
        List<Verdict> verdicts = new(comparisons.Count);
        await foreach (JudgeVerdict verdict in JudgeAsync(comparisons, cancellation))
            verdicts.Add(verdict.ToVerdict());
        return verdicts;
    }

    /// <summary>
    /// Verdicts in the order of the comparisons, as they become known. Some more comparisons than are in flight are read ahead, so that a slow one
    /// holds nothing up, and no more, so that memory stays flat. What ends the run is thrown after all verdicts before it.
    /// </summary>
    public async IAsyncEnumerable<JudgeVerdict> JudgeAsync(IEnumerable<Comparison> comparisons, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using SemaphoreSlim places = new(inFlight);
        Queue<Task<JudgeVerdict>> waiting = new();
        Ending ending = new();
        int ahead = 4 * inFlight;
        try
        {
            foreach (Comparison comparison in comparisons)
            {
                // places are taken in the order of the comparisons
                await places.WaitAsync(cancellation);
                waiting.Enqueue(OneAsync(comparison, places, ending, stop.Token));
                while (waiting.Count > 0 && (waiting.Count >= ahead || waiting.Peek().IsCompleted))
                    yield return await waiting.Dequeue();
            }
            while (waiting.Count > 0)
                yield return await waiting.Dequeue();
        }
        finally
        {
            // a cap or a missing key ends the run by itself: calls in flight may be paid for already, so their replies are waited for and kept
            if (!ending.ByItself)
                await stop.CancelAsync();
            foreach (Task<JudgeVerdict> task in waiting)
                await Task.WhenAny(task); // nothing outlives the run; what went wrong first has been thrown
        }
    }

    public void Dispose() => owned?.Dispose();

    private sealed class Ending
    {
        public volatile bool ByItself;
    }

    private async Task<JudgeVerdict> OneAsync(Comparison comparison, SemaphoreSlim places, Ending ending, CancellationToken cancellation)
    {
        try
        {
            return await Task.Run(() => judge.JudgeAsync(comparison, cancellation), cancellation);
        }
        catch (BadInputException)
        {
            ending.ByItself = true;
            throw;
        }
        finally
        {
            places.Release();
        }
    }
}
