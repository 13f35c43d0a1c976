namespace Paddock.Engine.Tests.Kernels.Checks;

/// <summary>Every check of a kernel, for the tier probe.</summary>
internal static class AllChecks
{
    public static IReadOnlyList<(string Name, Action Check)> List { get; } =
    [
        ("matrix product", MatMulChecks.Twin),
        ("matrix product, threads", MatMulChecks.Threads),
        ("matrix product, row alone", MatMulChecks.RowAlone),
        ("matrix product, not finite", MatMulChecks.NotFinite),
        ("norms", NormChecks.Twin),
        ("norms, invariance", NormChecks.Invariance),
        ("norms, not finite", NormChecks.NotFinite),
        ("query and key norms", NormChecks.QueryKeyTwin),
        ("exp", ElementwiseChecks.ExpAccuracy),
        ("SwiGlu", ElementwiseChecks.SwiGluTwin),
        ("Gelu", ElementwiseChecks.GeluTwin),
        ("activations", ElementwiseChecks.ActivationTwins),
        ("activations, limits", ElementwiseChecks.ActivationLimits),
        ("rope", ElementwiseChecks.RopeTwin),
        ("bias and embedding", ElementwiseChecks.BiasAndEmbeddingTwin),
        ("vectors", ElementwiseChecks.VectorsTwin),
        ("AdamW", ElementwiseChecks.AdamWTwin),
        ("attention", AttentionChecks.Twin),
        ("attention, invariance", AttentionChecks.Invariance),
        ("attention, not finite", AttentionChecks.NotFinite),
        ("vocabulary loss", VocabularyLossChecks.Twin),
        ("vocabulary loss, invariance", VocabularyLossChecks.Invariance),
        ("vocabulary loss, ties and not finite", VocabularyLossChecks.TiesAndNotFinite),
    ];
}
