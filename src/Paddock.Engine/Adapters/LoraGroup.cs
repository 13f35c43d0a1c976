using System.Numerics.Tensors;
using Paddock.Engine.Kernels;
using Paddock.Engine.Memory;
using Paddock.Engine.Models;
using Paddock.Engine.Threading;

namespace Paddock.Engine.Adapters;

/// <summary>One adapter of a fused matrix: which rows of the output it adds to.</summary>
/// <param name="Path">Module path in the checkpoint.</param>
/// <param name="B">[rows, r].</param>
internal sealed record LoraSite(string Path, int FirstRow, Parameter B);

/// <summary>
/// The adapters that share a fused matrix's input. Their A matrices are stacked, so that one product serves all: u = s x A^T, then
/// y[:, rows of site j] += u_j B_j^T.
/// </summary>
/// <param name="Values">Buffer of all adapters.</param>
/// <param name="A">[sites r, in].</param>
internal sealed unsafe record LoraGroup(NativeBuffer Values, int Rank, float Scale, Parameter A, IReadOnlyList<LoraSite> Sites)
{
    /// <summary>Width of u: sites r.</summary>
    public int Width => A.Rows;

    /// <summary>y [rows, ldy] += adapters of x [rows, in]; u [rows, Width] is kept for the backward pass.</summary>
    public void Forward(WorkerPool pool, int rows, float* x, float* y, int ldy, float* u)
    {
        float* values = Values.Pointer;
        MatMul.NT(pool, rows, Width, A.Columns, x, A.Columns, values + A.Offset, A.Columns, u, Width, false);
        Multiply(u, rows);
        for (int j = 0; j < Sites.Count; j++)
            MatMul.NT(pool, rows, Sites[j].B.Rows, Rank, u + j * Rank, Width, values + Sites[j].B.Offset, Rank, y + Sites[j].FirstRow, ldy, true);
    }

    /// <summary>
    /// Adds the gradients of A and B, and of x to dx unless that is null. Formulas, with du = s dy B: dB += dy^T u, dA += du^T x, dx += du A.
    /// </summary>
    /// <param name="du">Scratch, [rows, Width].</param>
    public void Backward(WorkerPool pool, int rows, float* x, float* dy, int lddy, float* u, float* du, float* dx, float* gradients)
    {
        float* values = Values.Pointer;
        for (int j = 0; j < Sites.Count; j++)
        {
            Parameter b = Sites[j].B;
            float* part = dy + Sites[j].FirstRow;
            MatMul.TN(pool, b.Rows, Rank, rows, part, lddy, u + j * Rank, Width, gradients + b.Offset, Rank, true);
            MatMul.NN(pool, rows, Rank, b.Rows, part, lddy, values + b.Offset, Rank, du + j * Rank, Width, false);
        }
        Multiply(du, rows);
        MatMul.TN(pool, Width, A.Columns, rows, du, Width, x, A.Columns, gradients + A.Offset, A.Columns, true);
        if (dx != null)
            MatMul.NN(pool, rows, A.Columns, Width, du, Width, values + A.Offset, A.Columns, dx, A.Columns, true);
    }

    /// <summary>Adds s B A to the rows of the matrix [out, in] that the adapters belong to.</summary>
    public void MergeInto(WorkerPool pool, float* matrix)
    {
        float* values = Values.Pointer;
        for (int j = 0; j < Sites.Count; j++)
        {
            Parameter b = Sites[j].B;
            using NativeBuffer scaled = new(b.Count);
            TensorPrimitives.Multiply(new ReadOnlySpan<float>(values + b.Offset, b.Count), Scale, scaled.Span);
            MatMul.NN(pool, b.Rows, A.Columns, Rank, scaled.Pointer, Rank, values + A.Offset + (long)j * Rank * A.Columns, A.Columns,
                matrix + (long)Sites[j].FirstRow * A.Columns, A.Columns, true);
        }
    }

    private void Multiply(float* u, int rows)
    {
        Span<float> all = new(u, checked(rows * Width));
        TensorPrimitives.Multiply(all, Scale, all);
    }
}
