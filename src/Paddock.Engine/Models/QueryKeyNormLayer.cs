using Paddock.Engine.Kernels;
using Paddock.Engine.Threading;

namespace Paddock.Engine.Models;

/// <summary>RMSNorm of queries and keys with its parameters.</summary>
internal sealed unsafe class QueryKeyNormLayer
{
    private readonly Parameter _query, _key;
    private readonly NormScale _queryScale, _keyScale;
    private readonly float _epsilon;

    private QueryKeyNormLayer(ModelWeights weights, Parameter query, Parameter key)
    {
        (_query, _key, Shape) = (query, key, ShapeOf(weights.Config));
        (_queryScale, _keyScale) = (new(weights, query), new(weights, key));
        _epsilon = weights.Config.NormEpsilon;
    }

    public QueryKeyShape Shape { get; }

    /// <summary>Null where a layer has none.</summary>
    public static QueryKeyNormLayer? Of(ModelWeights weights, LayerParameters layer) => layer.QueryNorm == null ? null : new(weights, layer.QueryNorm, layer.KeyNorm!);

    /// <summary>The groups that a config norms.</summary>
    public static QueryKeyShape ShapeOf(ModelConfig config) => config.QueryKeyNorm == QueryKeyNormKind.EachHead
        ? new(config.HeadCount, config.HeadSize, config.KeyValueHeadCount, config.HeadSize)
        : new(1, config.HeadCount * config.HeadSize, 1, config.KeyValueHeadCount * config.HeadSize);

    /// <summary>Norms the queries and keys of qkv [rows, ld] in place; raw [rows, Shape.Width] and rstd [rows, Shape.Groups] are kept for the backward pass.</summary>
    public void Forward(WorkerPool pool, int rows, float* qkv, int ld, float* raw, float* rstd) =>
        QueryKeyNorm.Forward(pool, rows, Shape, qkv, ld, _queryScale.Current, _keyScale.Current, _epsilon, raw, rstd);

    /// <summary>Turns the gradient of the normed queries and keys into that of the raw ones, in place.</summary>
    public void Backward(WorkerPool pool, int rows, float* dQkv, int ld, float* raw, float* rstd, in GradientBuffers gradients)
    {
        bool trained = gradients.Weights != null;
        QueryKeyNorm.Backward(pool, rows, Shape, dQkv, ld, _queryScale.Current, _keyScale.Current, raw, rstd,
            trained ? gradients.Weights + _query.Offset : null, trained ? gradients.Weights + _key.Offset : null);
    }
}
