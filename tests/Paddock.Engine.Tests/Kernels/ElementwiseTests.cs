using Paddock.Engine.Tests.Kernels.Checks;

namespace Paddock.Engine.Tests.Kernels;

public class ElementwiseTests
{
    [Fact]
    public void Exp_is_within_three_units_in_the_last_place() => ElementwiseChecks.ExpAccuracy();

    [Fact]
    public void SwiGlu_equals_its_scalar_twin() => ElementwiseChecks.SwiGluTwin();

    [Fact]
    public void Gelu_equals_its_scalar_twin() => ElementwiseChecks.GeluTwin();

    [Fact]
    public void Activations_equal_their_scalar_twins() => ElementwiseChecks.ActivationTwins();

    [Fact]
    public void Activations_saturate_and_keep_nan() => ElementwiseChecks.ActivationLimits();

    [Fact]
    public void Rope_equals_its_scalar_twin_and_its_inverse_undoes_it() => ElementwiseChecks.RopeTwin();

    [Fact]
    public void Bias_and_embedding_equal_their_scalar_twins() => ElementwiseChecks.BiasAndEmbeddingTwin();

    [Fact]
    public void Vector_operations_equal_their_scalar_twins() => ElementwiseChecks.VectorsTwin();

    [Fact]
    public void AdamW_equals_its_scalar_twin() => ElementwiseChecks.AdamWTwin();
}
