namespace Paddock.Engine.Models;

/// <summary>One tensor of a flat parameter buffer, and of the gradient and moment buffers of the same layout.</summary>
/// <param name="Name">Internal name, such as <c>layers.0.qkv</c>.</param>
/// <param name="Rows">Rows of a matrix, or the length of a vector.</param>
/// <param name="Columns">Columns of a matrix; 1 for a vector.</param>
/// <param name="Dimensions">2 or 1; weight decay touches matrices only.</param>
/// <param name="Offset">First float in the buffer, a multiple of 16.</param>
public sealed record Parameter(string Name, int Rows, int Columns, int Dimensions, long Offset)
{
    /// <summary>Number of values.</summary>
    public int Count => Rows * Columns;
}

/// <summary>The tensors of one transformer block. Biases are null where the family has none.</summary>
public sealed record LayerParameters
{
    /// <summary>[C] scale of the norm before attention; null where there is none.</summary>
    public required Parameter? AttentionNorm { get; init; }

    public Parameter? AttentionNormBias { get; init; }

    /// <summary>[(H + 2 KV) D, C] rows q, k, v.</summary>
    public required Parameter Qkv { get; init; }

    public Parameter? QkvBias { get; init; }

    /// <summary>[D] or [H D] scale of the norm of the queries; null where there is none.</summary>
    public Parameter? QueryNorm { get; init; }

    /// <summary>[D] or [KV D].</summary>
    public Parameter? KeyNorm { get; init; }

    /// <summary>[C, H D].</summary>
    public required Parameter Out { get; init; }

    public Parameter? OutBias { get; init; }

    /// <summary>[C] scale of the norm after attention, before its output is added; null where there is none.</summary>
    public Parameter? AttentionOutNorm { get; init; }

    /// <summary>[C] scale of the norm before the MLP; null where there is none.</summary>
    public required Parameter? MlpNorm { get; init; }

    public Parameter? MlpNormBias { get; init; }

    /// <summary>[C] scale of the norm after the MLP, before its output is added; null where there is none.</summary>
    public Parameter? MlpOutNorm { get; init; }

    /// <summary>[E, C] scores of the experts; null for an ordinary MLP.</summary>
    public Parameter? Router { get; init; }

    /// <summary>The experts, or the one MLP.</summary>
    public required IReadOnlyList<MlpParameters> Mlps { get; init; }

    /// <summary>[2 F, C] rows gate, up; [F, C] where the activation is not gated. Of the one MLP, or of the first expert.</summary>
    public Parameter GateUp => Mlps[0].GateUp;

    public Parameter? GateUpBias => Mlps[0].GateUpBias;

    /// <summary>[C, F].</summary>
    public Parameter Down => Mlps[0].Down;

    public Parameter? DownBias => Mlps[0].DownBias;
}

/// <summary>The tensors of one MLP; see <see cref="LayerParameters"/> for the shapes.</summary>
public sealed record MlpParameters(Parameter GateUp, Parameter? GateUpBias, Parameter Down, Parameter? DownBias);
