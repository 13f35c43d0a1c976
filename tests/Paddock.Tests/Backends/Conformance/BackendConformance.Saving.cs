using Paddock.Backends;

namespace Paddock.Tests.Backends.Conformance;

internal static partial class BackendConformance
{
    private static async Task RestoreAsync(ConformanceSubject subject)
    {
        CheckpointUri saved;
        PassResult expected;
        Sequence[] batch = Batch(subject);
        await using (ITrainingBackend backend = subject.Open())
        await using (ITrainableModel model = await WarmAsync(backend, subject))
        {
            saved = await model.SaveAsync("here", None);
            expected = await model.ForwardAsync(batch, None);
            // what happens after a save does not reach it
            await model.BackwardAsync(batch, Ones(batch, -1), None);
            await model.StepAsync(Adam(0.1), None);
        }
        await using ITrainingBackend later = subject.Open();
        await using ITrainableModel restored = await later.RestoreAsync(saved, withOptimizer: false, None);
        Same(subject, expected, await restored.ForwardAsync(batch, None));
    }

    private static async Task RestoreOptimizerAsync(ConformanceSubject subject)
    {
        await using ITrainingBackend backend = subject.Open();
        await using ITrainableModel straight = await WarmAsync(backend, subject);
        CheckpointUri saved = await straight.SaveAsync("half", None);
        await using ITrainableModel resumed = await backend.RestoreAsync(saved, withOptimizer: true, None);
        Sequence[] batch = Batch(subject);
        for (int step = 0; step < 3; step++)
        {
            ReadOnlyMemory<float>[] coefficients = Coefficients(batch, $"step {step}");
            await straight.BackwardAsync(batch, coefficients, None);
            await resumed.BackwardAsync(batch, coefficients, None);
            double expected = (await straight.StepAsync(Adam(0.01), None)).GradientNorm, actual = (await resumed.StepAsync(Adam(0.01), None)).GradientNorm;
            if (subject.IsBitExact)
                Assert.Equal(expected, actual);
            else
                Close(expected, actual, 1e-4);
            Same(subject, await straight.ForwardAsync(batch, None), await resumed.ForwardAsync(batch, None));
        }
    }

    private static async Task RestoreFreshAsync(ConformanceSubject subject)
    {
        await using ITrainingBackend backend = subject.Open();
        await using ITrainableModel model = await WarmAsync(backend, subject);
        CheckpointUri saved = await model.SaveAsync("weights", None);
        await using ITrainableModel with = await backend.RestoreAsync(saved, withOptimizer: true, None), without = await backend.RestoreAsync(saved, withOptimizer: false, None);
        Sequence[] batch = Batch(subject);
        foreach (ITrainableModel one in (ITrainableModel[])[with, without])
        {
            await one.BackwardAsync(batch, Ones(batch, -1), None);
            await one.StepAsync(Adam(0.01), None);
        }
        Assert.True(Differ(await with.ForwardAsync(batch, None), await without.ForwardAsync(batch, None)), "the moments were not dropped");
    }

    private static async Task SaveAgainAsync(ConformanceSubject subject)
    {
        await using ITrainingBackend backend = subject.Open();
        await using ITrainableModel model = await WarmAsync(backend, subject);
        Sequence[] batch = Batch(subject);
        await model.SaveAsync("again", None);
        await model.BackwardAsync(batch, Ones(batch, -1), None);
        await model.StepAsync(Adam(0.1), None);
        CheckpointUri saved = await model.SaveAsync("again", None);
        await using ITrainableModel restored = await backend.RestoreAsync(saved, withOptimizer: true, None);
        Same(subject, await model.ForwardAsync(batch, None), await restored.ForwardAsync(batch, None));
    }
}
