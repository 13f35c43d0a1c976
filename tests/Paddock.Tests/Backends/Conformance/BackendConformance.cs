using Paddock.Backends;
using Paddock.Engine.Numerics;

namespace Paddock.Tests.Backends.Conformance;

/// <summary>A backend and a tiny model of it, to be checked against the contract of the training seam.</summary>
/// <param name="Open">Opens the backend; called once a check.</param>
/// <param name="Spec">A model of a few thousand parameters.</param>
/// <param name="Vocabulary">Ids of the model: 0 .. Vocabulary - 1.</param>
/// <param name="IsBitExact">Whether repeating the same calls gives the same bits.</param>
internal sealed record ConformanceSubject(Func<ITrainingBackend> Open, ModelSpec Spec, int Vocabulary, bool IsBitExact);

/// <summary>
/// What every training backend must do, whatever computes behind it: a list of named checks that throw where it does not. Written against
/// the seam alone, so a backend passes or fails as methods will meet it. Checks of numbers need full control over Adam, by which a step
/// becomes plain gradient descent (<see cref="Descent"/>).
/// </summary>
internal static partial class BackendConformance
{
    private const float Tolerance = 1e-5f;

    /// <summary>Checks of training, by name.</summary>
    public static IReadOnlyDictionary<string, Func<ConformanceSubject, Task>> Training { get; } = new Dictionary<string, Func<ConformanceSubject, Task>>
    {
        ["a small step up the log-probs raises them"] = SmallStepAsync,
        ["two backward calls are one"] = AccumulationAsync,
        ["backward is the derivative of forward"] = DerivativeAsync,
        ["coefficients keep their sign"] = SignsAsync,
        ["backward needs no forward before it"] = BackwardAloneAsync,
        ["a forward after a step sees the new weights"] = OrderAsync,
        ["a step clears the gradients"] = ClearedAsync,
        ["a new model has no gradient"] = FreshAsync,
        ["the norm is told before clipping"] = ClippingAsync,
        ["positions without a target read 0 and take no coefficient"] = NoTargetAsync,
        ["a row does not depend on the others of its batch"] = RowsAsync,
        ["equal specs are equal models"] = EqualSpecsAsync,
        ["models do not touch each other"] = SeveralAsync,
        ["a restored model is the one that was saved"] = RestoreAsync,
        ["a restored optimizer goes on as if never saved"] = RestoreOptimizerAsync,
        ["a restored model without its optimizer starts afresh"] = RestoreFreshAsync,
        ["a name that is saved again holds the later weights"] = SaveAgainAsync,
        ["what has the wrong shape is refused"] = RefusalsAsync,
        ["a cancelled forward throws"] = CancelledAsync,
    };

    private static readonly CancellationToken None = CancellationToken.None;

    // p -= rate * gradient: with beta 0 and an epsilon far above any gradient, Adam divides all of them by the same number
    private static AdamStep Descent(double rate, double clip = 0) => new(rate * 1e6, Beta1: 0, Beta2: 0, Epsilon: 1e6, WeightDecay: 0, ClipNorm: clip);

    private static AdamStep Adam(double rate) => new(rate, 0.9, 0.98);

    private static Sequence[] Batch(ConformanceSubject subject, string name = "batch", int rows = 3)
    {
        RandomStream stream = new(17, name);
        Sequence[] batch = new Sequence[rows];
        for (int i = 0; i < rows; i++)
        {
            int[] prompt = Ids(ref stream, 2 + stream.NextInt(4), subject.Vocabulary), response = Ids(ref stream, 2 + stream.NextInt(5), subject.Vocabulary);
            batch[i] = Sequence.ForResponse(prompt, response);
        }
        return batch;
    }

    private static int[] Ids(ref RandomStream stream, int count, int vocabulary)
    {
        int[] ids = new int[count];
        for (int i = 0; i < count; i++)
            ids[i] = stream.NextInt(vocabulary);
        return ids;
    }

    private static ReadOnlyMemory<float>[] Coefficients(Sequence[] batch, string name)
    {
        RandomStream stream = new(18, name);
        ReadOnlyMemory<float>[] rows = new ReadOnlyMemory<float>[batch.Length];
        for (int i = 0; i < rows.Length; i++)
        {
            float[] row = new float[batch[i].Targets.Length];
            for (int t = 0; t < row.Length; t++)
                row[t] = (float)(2 * stream.NextDouble() - 1);
            rows[i] = row;
        }
        return rows;
    }

    private static ReadOnlyMemory<float>[] Combine(ReadOnlyMemory<float>[] a, float by, ReadOnlyMemory<float>[]? b = null, float bBy = 0)
    {
        ReadOnlyMemory<float>[] rows = new ReadOnlyMemory<float>[a.Length];
        for (int i = 0; i < rows.Length; i++)
        {
            float[] row = new float[a[i].Length];
            for (int t = 0; t < row.Length; t++)
                row[t] = by * a[i].Span[t] + (b == null ? 0 : bBy * b[i].Span[t]);
            rows[i] = row;
        }
        return rows;
    }

    private static double Dot(PassResult pass, ReadOnlyMemory<float>[] coefficients, Sequence[] batch)
    {
        double sum = 0;
        for (int i = 0; i < batch.Length; i++)
            for (int t = 0; t < batch[i].Targets.Length; t++)
                if (batch[i].Targets.Span[t] != Sequence.NoTarget)
                    sum += (double)pass.Outputs[i].Span[t] * coefficients[i].Span[t];
        return sum;
    }

    private static ReadOnlyMemory<float>[] Ones(Sequence[] batch, float value) => [.. batch.Select(s => (ReadOnlyMemory<float>)Enumerable.Repeat(value, s.Targets.Length).ToArray())];

    // fresh adapters and scalar heads are zero, which hides most gradients: two steps away from there
    private static async Task<ITrainableModel> WarmAsync(ITrainingBackend backend, ConformanceSubject subject)
    {
        ITrainableModel model = await backend.CreateAsync(subject.Spec, None);
        Sequence[] batch = Batch(subject, "warm");
        for (int step = 0; step < 2; step++)
        {
            await model.BackwardAsync(batch, Coefficients(batch, $"warm {step}"), None);
            await model.StepAsync(Adam(0.02), None);
        }
        return model;
    }

    private static async Task<double> NormAsync(ITrainableModel model, Sequence[] batch, ReadOnlyMemory<float>[] coefficients)
    {
        await model.BackwardAsync(batch, coefficients, None);
        return (await model.StepAsync(Descent(0), None)).GradientNorm;
    }

    private static void Same(ConformanceSubject subject, PassResult expected, PassResult actual) => Same(expected, actual, subject.IsBitExact ? 0 : Tolerance);

    private static void Same(PassResult expected, PassResult actual, float tolerance)
    {
        Assert.Equal(expected.Outputs.Count, actual.Outputs.Count);
        for (int i = 0; i < expected.Outputs.Count; i++)
        {
            Assert.Equal(expected.Outputs[i].Length, actual.Outputs[i].Length);
            for (int t = 0; t < expected.Outputs[i].Length; t++)
                if (tolerance == 0)
                    Assert.Equal(BitConverter.SingleToInt32Bits(expected.Outputs[i].Span[t]), BitConverter.SingleToInt32Bits(actual.Outputs[i].Span[t]));
                else
                    Assert.Equal(expected.Outputs[i].Span[t], actual.Outputs[i].Span[t], tolerance);
        }
    }

    private static bool Differ(PassResult a, PassResult b)
    {
        for (int i = 0; i < a.Outputs.Count; i++)
            if (!a.Outputs[i].Span.SequenceEqual(b.Outputs[i].Span))
                return true;
        return false;
    }

    private static void Close(double expected, double actual, double relative) =>
        Assert.True(Math.Abs(expected - actual) <= relative * Math.Max(Math.Abs(expected), 1e-3), $"expected {expected:r}, got {actual:r}");
}
