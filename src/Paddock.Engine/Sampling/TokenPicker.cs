using System.Runtime.InteropServices;
using Paddock.Engine.Threading;

namespace Paddock.Engine.Sampling;

/// <summary>Draws tokens, or reads log-probs of given ones, from rows of logits; one row is one tile.</summary>
internal sealed unsafe class TokenPicker(WorkerPool pool, int V)
{
    private SamplerOptions _options = new(1);
    private List<ActiveSample> _samples = [];
    private int _first;
    private float* _logits;
    private BadInputException? _failure;

    private struct ScoreContext
    {
        public float* Logits, LogProbs;
        public int* Targets;
        public int V;
    }

    /// <summary>Draws a token for samples first .. first + rows - 1 from logits [rows, V].</summary>
    public void Pick(int rows, float* logits, SamplerOptions options, List<ActiveSample> samples, int first)
    {
        (_options, _samples, _first, _failure) = (options, samples, first, null);
        _logits = logits;
        GCHandle self = GCHandle.Alloc(this);
        nint context = GCHandle.ToIntPtr(self);
        pool.Run(rows, &PickRow, &context);
        self.Free();
        if (_failure != null)
            throw _failure;
    }

    /// <summary>logProbs[r] = log softmax(logits[r])[targets[r]].</summary>
    public void Score(int rows, float* logits, int* targets, float* logProbs)
    {
        ScoreContext context = new() { Logits = logits, LogProbs = logProbs, Targets = targets, V = V };
        pool.Run(rows, &ScoreRow, &context);
    }

    private static void PickRow(void* context, int tile, int worker)
    {
        TokenPicker self = (TokenPicker)GCHandle.FromIntPtr(*(nint*)context).Target!;
        try
        {
            self.PickRow(tile, worker);
        }
        catch (BadInputException failure)
        {
            self._failure = failure; // a tile must not throw
        }
    }

    private void PickRow(int row, int worker)
    {
        ActiveSample sample = _samples[_first + row];
        Span<float> logits = new(_logits + (long)row * V, V), filtered = logits;
        bool greedy = _options.Temperature == 0f;
        if (!greedy || _options.RepetitionPenalty != 1f)
        {
            filtered = new(pool.Scratch(worker, V), V);
            logits.CopyTo(filtered);
            SamplingRules.Apply(filtered, _options, sample.Seen);
        }
        sample.FilteredLogProb = 0f;
        sample.Token = greedy ? SamplingRules.ArgMax(filtered) : SamplingRules.Draw(filtered, sample.NextUniform(), out sample.FilteredLogProb);
        sample.LogProb = (float)(logits[sample.Token] - SamplingRules.LogSumExp(logits));
    }

    private static void ScoreRow(void* context, int tile, int worker)
    {
        ScoreContext* c = (ScoreContext*)context;
        ReadOnlySpan<float> logits = new(c->Logits + (long)tile * c->V, c->V);
        c->LogProbs[tile] = (float)(logits[c->Targets[tile]] - SamplingRules.LogSumExp(logits));
    }
}
