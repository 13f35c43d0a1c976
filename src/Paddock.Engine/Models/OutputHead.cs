using Paddock.Engine.Kernels;
using Paddock.Engine.Threading;

namespace Paddock.Engine.Models;

/// <summary>Final norm, then log-probs of targets under the vocabulary's softmax, or one scalar per row.</summary>
internal sealed unsafe class OutputHead(ModelWeights weights, float* score, long scoreOffset)
{
    private readonly NormLayer _norm = new(weights, weights.Layout.FinalNorm, weights.Layout.FinalNormBias);
    private readonly float* _logits = weights.Pointer(weights.Layout.Logits);
    private readonly long _logitsOffset = weights.Layout.Logits?.Offset ?? 0;
    private readonly int _hidden = weights.Config.HiddenSize, _vocabulary = weights.Config.VocabularySize;
    private readonly float _cap = (float)weights.Config.LogitCap;

    /// <summary>Fills chunk.Outputs, and where asked chunk.Entropies and chunk.ArgMax.</summary>
    public void Forward(WorkerPool pool, Chunk chunk, bool distribution)
    {
        Norm(pool, chunk);
        if (_logits == null)
            MatMul.NT(pool, chunk.Wanted, 1, _hidden, chunk.FinalNormed, _hidden, score, _hidden, chunk.Outputs, 1, false);
        else
            VocabularyLoss.Forward(pool, chunk.Wanted, _hidden, _vocabulary, chunk.FinalNormed, _logits, chunk.Targets, chunk.Outputs, chunk.LogSumExp,
                distribution ? chunk.Entropies : null, distribution ? chunk.ArgMax : null, _cap, chunk.Logits);
    }

    /// <summary>Writes [n, V] logits of the wanted rows.</summary>
    public void Logits(WorkerPool pool, Chunk chunk, float* logits)
    {
        Norm(pool, chunk);
        MatMul.NT(pool, chunk.Wanted, _vocabulary, _hidden, chunk.FinalNormed, _hidden, _logits, _hidden, logits, _vocabulary, false);
        SoftCap.Apply(pool, chunk.Wanted, _vocabulary, logits, _vocabulary, _cap);
    }

    /// <summary>Writes the gradient of chunk.Final to <paramref name="stream"/> [n, C] and adds those of the head and the norm.</summary>
    /// <param name="logitsKept">Whether chunk.Logits holds what the forward pass left; it is overwritten.</param>
    /// <param name="trained">Buffer that holds the gradient of the scalar head.</param>
    public void Backward(WorkerPool pool, Chunk chunk, in BackwardScratch s, bool entropy, bool logitsKept, float* stream, float* trained, in GradientBuffers gradients)
    {
        int n = chunk.Wanted;
        if (_logits == null)
        {
            MatMul.NN(pool, n, _hidden, 1, s.Coefficients, 1, score, _hidden, s.Normed, _hidden, false);
            MatMul.TN(pool, 1, _hidden, n, s.Coefficients, 1, chunk.FinalNormed, _hidden, trained + scoreOffset, _hidden, true);
        }
        else
        {
            VocabularyLoss.Backward(pool, n, _hidden, _vocabulary, chunk.FinalNormed, _logits, chunk.Targets, chunk.LogSumExp, s.Coefficients,
                entropy ? chunk.Entropies : null, entropy ? s.EntropyCoefficients : null, s.Normed, gradients.Weights == null ? null : gradients.Weights + _logitsOffset, _cap,
                logitsKept ? chunk.Logits : null);
        }
        _norm.Backward(pool, n, s.Normed, chunk.Final, chunk.FinalMean, chunk.FinalRstd, stream, false, in gradients);
    }

    private void Norm(WorkerPool pool, Chunk chunk) => _norm.Forward(pool, chunk.Wanted, chunk.Final, chunk.FinalNormed, chunk.FinalMean, chunk.FinalRstd);
}
