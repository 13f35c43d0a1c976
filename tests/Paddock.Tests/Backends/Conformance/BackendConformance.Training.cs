using Paddock.Backends;

namespace Paddock.Tests.Backends.Conformance;

internal static partial class BackendConformance
{
    private static async Task SmallStepAsync(ConformanceSubject subject)
    {
        await using ITrainingBackend backend = subject.Open();
        await using ITrainableModel model = await WarmAsync(backend, subject);
        Sequence[] batch = Batch(subject);
        ReadOnlyMemory<float>[] up = Ones(batch, 1);
        double before = Dot(await model.ForwardAsync(batch, None), up, batch);
        await model.BackwardAsync(batch, Ones(batch, -1), None); // a step goes against the gradient: c = -1 is the loss -log p
        await model.StepAsync(Adam(1e-3), None);
        double after = Dot(await model.ForwardAsync(batch, None), up, batch);
        Assert.True(after > before, $"{before} before, {after} after");
    }

    private static async Task AccumulationAsync(ConformanceSubject subject)
    {
        await using ITrainingBackend backend = subject.Open();
        await using ITrainableModel whole = await WarmAsync(backend, subject), parts = await WarmAsync(backend, subject);
        Sequence[] batch = Batch(subject);
        ReadOnlyMemory<float>[] coefficients = Coefficients(batch, "c");
        await whole.BackwardAsync(batch, coefficients, None);
        await parts.ForwardAsync(batch[..1], None);
        await parts.BackwardAsync(batch[..1], coefficients[..1], None);
        await parts.ForwardAsync(batch[1..], None);
        await parts.BackwardAsync(batch[1..], coefficients[1..], None);
        Close((await whole.StepAsync(Descent(0.1), None)).GradientNorm, (await parts.StepAsync(Descent(0.1), None)).GradientNorm, 1e-5);
        Same(await whole.ForwardAsync(batch, None), await parts.ForwardAsync(batch, None), Tolerance);
    }

    // Along its own gradient g, f = sum of c * output changes by |g|^2 a unit of descent; h, another such sum, by <g_h, g>, which the
    // norms of f + h and f - h give. A wrong gradient breaks one or the other.
    private static async Task DerivativeAsync(ConformanceSubject subject)
    {
        const double Rate = 1e-3;
        await using ITrainingBackend backend = subject.Open();
        await using ITrainableModel probe = await WarmAsync(backend, subject);
        Sequence[] batch = Batch(subject);
        ReadOnlyMemory<float>[] f = Coefficients(batch, "f"), h = Coefficients(batch, "h");
        double norm = await NormAsync(probe, batch, f), sum = await NormAsync(probe, batch, Combine(f, 1, h, 1)), difference = await NormAsync(probe, batch, Combine(f, 1, h, -1));
        double[] fAt = new double[2], hAt = new double[2];
        for (int side = 0; side < 2; side++)
        {
            await using ITrainableModel model = await WarmAsync(backend, subject);
            await model.BackwardAsync(batch, Combine(f, side == 0 ? 1 : -1), None);
            await model.StepAsync(Descent(Rate / norm), None);
            PassResult moved = await model.ForwardAsync(batch, None);
            (fAt[side], hAt[side]) = (Dot(moved, f, batch), Dot(moved, h, batch));
        }
        // side 0 went down the gradient, side 1 up, both by Rate along the unit vector g / |g|
        Close(norm, (fAt[1] - fAt[0]) / (2 * Rate), 5e-3);
        double expected = (sum * sum - difference * difference) / (4 * norm), actual = (hAt[1] - hAt[0]) / (2 * Rate);
        Assert.True(Math.Abs(expected - actual) < 5e-3 * norm, $"expected {expected:r}, got {actual:r}");
    }

    // the trap of servers that take weights where coefficients are meant: a negative one must push down, not be cut to 0 or turned up
    private static async Task SignsAsync(ConformanceSubject subject)
    {
        await using ITrainingBackend backend = subject.Open();
        await using ITrainableModel model = await WarmAsync(backend, subject);
        Sequence[] batch = Batch(subject, rows: 2);
        ReadOnlyMemory<float>[] coefficients = Coefficients(batch, "c");
        await model.BackwardAsync(batch, coefficients, None);
        double cancelled = await NormAsync(model, batch, Combine(coefficients, -1)), one = await NormAsync(model, batch, coefficients);
        Assert.True(cancelled < 1e-5 * one, $"{cancelled} is left of {one}");

        // chosen up and rejected down: the margin grows, and not by pulling the chosen one down
        ReadOnlyMemory<float>[] first = [Ones(batch, 1)[0], Ones(batch, 0)[1]], margin = [Ones(batch, 1)[0], Ones(batch, -1)[1]];
        PassResult before = await model.ForwardAsync(batch, None);
        await model.BackwardAsync(batch, Combine(margin, -1), None);
        await model.StepAsync(Descent(1e-3), None);
        PassResult after = await model.ForwardAsync(batch, None);
        Assert.True(Dot(after, margin, batch) > Dot(before, margin, batch));
        double norm = await NormAsync(model, batch, margin);
        Assert.True(Dot(after, first, batch) > Dot(before, first, batch) - 1e-3 * norm * norm);
    }

    private static async Task BackwardAloneAsync(ConformanceSubject subject)
    {
        await using ITrainingBackend backend = subject.Open();
        await using ITrainableModel model = await WarmAsync(backend, subject);
        Sequence[] batch = Batch(subject), other = Batch(subject, "other");
        ReadOnlyMemory<float>[] coefficients = Coefficients(batch, "c");
        await model.ForwardAsync(batch, None);
        double after = await NormAsync(model, batch, coefficients), alone = await NormAsync(model, batch, coefficients);
        await model.ForwardAsync(other, None);
        double afterOther = await NormAsync(model, batch, coefficients);
        Close(after, alone, 1e-6);
        Close(after, afterOther, 1e-6);
    }

    private static async Task OrderAsync(ConformanceSubject subject)
    {
        await using ITrainingBackend backend = subject.Open();
        await using ITrainableModel model = await WarmAsync(backend, subject);
        Sequence[] batch = Batch(subject);
        PassResult before = await model.ForwardAsync(batch, None);
        await model.BackwardAsync(batch, Ones(batch, -1), None);
        Same(subject, before, await model.ForwardAsync(batch, None)); // gathered gradients move nothing yet
        await model.StepAsync(Adam(1e-3), None);
        PassResult after = await model.ForwardAsync(batch, None);
        Assert.True(Differ(before, after));
        Same(subject, after, await model.ForwardAsync(batch, None));
    }

    private static async Task ClearedAsync(ConformanceSubject subject)
    {
        await using ITrainingBackend backend = subject.Open();
        await using ITrainableModel model = await WarmAsync(backend, subject);
        Sequence[] batch = Batch(subject);
        await model.BackwardAsync(batch, Ones(batch, -1), None);
        Assert.True((await model.StepAsync(Adam(1e-3), None)).GradientNorm > 0);
        Assert.Equal(0, (await model.StepAsync(Adam(0), None)).GradientNorm);
    }

    private static async Task FreshAsync(ConformanceSubject subject)
    {
        await using ITrainingBackend backend = subject.Open();
        await using ITrainableModel model = await backend.CreateAsync(subject.Spec, None);
        Sequence[] batch = Batch(subject);
        PassResult before = await model.ForwardAsync(batch, None);
        Assert.Equal(0, (await model.StepAsync(Adam(0), None)).GradientNorm);
        Same(subject, before, await model.ForwardAsync(batch, None));
    }

    private static async Task ClippingAsync(ConformanceSubject subject)
    {
        const double Rate = 1e-3;
        await using ITrainingBackend backend = subject.Open();
        await using ITrainableModel plain = await WarmAsync(backend, subject), clipped = await WarmAsync(backend, subject), half = await WarmAsync(backend, subject);
        Sequence[] batch = Batch(subject);
        ReadOnlyMemory<float>[] coefficients = Coefficients(batch, "c");
        double norm = await NormAsync(plain, batch, coefficients);
        await clipped.BackwardAsync(batch, coefficients, None);
        Close(norm, (await clipped.StepAsync(Descent(2 * Rate / norm, clip: norm / 2), None)).GradientNorm, 1e-6);
        await half.BackwardAsync(batch, coefficients, None);
        await half.StepAsync(Descent(Rate / norm), None); // half the gradient at twice the rate
        Same(await half.ForwardAsync(batch, None), await clipped.ForwardAsync(batch, None), Tolerance);
    }

    private static async Task NoTargetAsync(ConformanceSubject subject)
    {
        await using ITrainingBackend backend = subject.Open();
        await using ITrainableModel model = await WarmAsync(backend, subject);
        Sequence[] batch = Batch(subject);
        PassResult pass = await model.ForwardAsync(batch, None);
        int silent = 0;
        for (int i = 0; i < batch.Length; i++)
            for (int t = 0; t < batch[i].Targets.Length; t++)
                if (batch[i].Targets.Span[t] == Sequence.NoTarget)
                {
                    silent++;
                    Assert.Equal(0f, pass.Outputs[i].Span[t]);
                }
                else
                {
                    Assert.NotEqual(0f, pass.Outputs[i].Span[t]);
                }
        Assert.True(silent > 0);
        ReadOnlyMemory<float>[] clean = Coefficients(batch, "c"), loud = [.. batch.Select((s, i) => (ReadOnlyMemory<float>)s.Targets.ToArray()
            .Select((target, t) => target == Sequence.NoTarget ? 1e6f : clean[i].Span[t]).ToArray())];
        Close(await NormAsync(model, batch, clean), await NormAsync(model, batch, loud), 1e-6);

        Sequence nothing = batch[0] with { Targets = Enumerable.Repeat(Sequence.NoTarget, batch[0].Input.Length).ToArray() };
        Assert.All((await model.ForwardAsync([nothing], None)).Outputs[0].ToArray(), output => Assert.Equal(0f, output));
        Assert.Equal(0, await NormAsync(model, [nothing], Ones([nothing], 1)));
    }

    private static async Task RowsAsync(ConformanceSubject subject)
    {
        await using ITrainingBackend backend = subject.Open();
        await using ITrainableModel model = await WarmAsync(backend, subject);
        Sequence[] batch = Batch(subject, rows: 5);
        PassResult together = await model.ForwardAsync(batch, None);
        for (int i = 0; i < batch.Length; i++)
            Same(new PassResult([together.Outputs[i]]), await model.ForwardAsync([batch[i]], None), Tolerance);
    }

    private static async Task EqualSpecsAsync(ConformanceSubject subject)
    {
        await using ITrainingBackend backend = subject.Open();
        Sequence[] batch = Batch(subject);
        await using ITrainableModel one = await WarmAsync(backend, subject), two = await WarmAsync(backend, subject);
        Same(subject, await one.ForwardAsync(batch, None), await two.ForwardAsync(batch, None));
    }

    private static async Task SeveralAsync(ConformanceSubject subject)
    {
        await using ITrainingBackend backend = subject.Open();
        if (!backend.Traits.SeveralModels)
            return;
        Sequence[] batch = Batch(subject);
        await using ITrainableModel policy = await WarmAsync(backend, subject), reference = await WarmAsync(backend, subject);
        PassResult before = await reference.ForwardAsync(batch, None);
        await policy.BackwardAsync(batch, Ones(batch, -1), None);
        Assert.Equal(0, (await reference.StepAsync(Adam(0), None)).GradientNorm);
        await policy.StepAsync(Adam(0.05), None);
        Same(subject, before, await reference.ForwardAsync(batch, None));
    }

    private static async Task RefusalsAsync(ConformanceSubject subject)
    {
        await using ITrainingBackend backend = subject.Open();
        await using ITrainableModel model = await WarmAsync(backend, subject);
        Sequence[] batch = Batch(subject);
        PassResult before = await model.ForwardAsync(batch, None);
        ReadOnlyMemory<float>[] right = Ones(batch, 1);
        await Refused(() => model.ForwardAsync([], None));
        await Refused(() => model.ForwardAsync([new Sequence(new[] { 2, 3 }, new[] { 3 })], None));
        await Refused(() => model.ForwardAsync([new Sequence(Array.Empty<int>(), Array.Empty<int>())], None));
        await Refused(() => model.ForwardAsync([new Sequence(new[] { subject.Vocabulary }, new[] { 2 })], None));
        await Refused(() => model.ForwardAsync([new Sequence(new[] { -1 }, new[] { 2 })], None));
        await Refused(() => model.BackwardAsync([], [], None));
        await Refused(() => model.BackwardAsync(batch, right[1..], None));
        await Refused(() => model.BackwardAsync(batch, [right[0][1..], .. right[1..]], None));
        // shapes whose sum is right all the same
        await Refused(() => model.BackwardAsync([batch[0], batch[0]], [right[0][1..], new float[right[0].Length + 1]], None));
        // and nothing of what was refused is left behind
        Same(subject, before, await model.ForwardAsync(batch, None));
        Assert.Equal(0, (await model.StepAsync(Adam(0), None)).GradientNorm);
    }

    private static async Task CancelledAsync(ConformanceSubject subject)
    {
        await using ITrainingBackend backend = subject.Open();
        await using ITrainableModel model = await backend.CreateAsync(subject.Spec, None);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => model.ForwardAsync(Batch(subject), new CancellationToken(canceled: true)));
    }

    private static async Task Refused(Func<Task> call)
    {
        Exception? error = await Record.ExceptionAsync(call);
        Assert.True(error is ArgumentException or Engine.BadInputException, $"expected a refusal, got {error?.ToString() ?? "nothing"}");
    }
}
