using Paddock.Engine.Tests.Kernels.Checks;

namespace Paddock.Engine.Tests.Kernels;

public class VocabularyLossTests
{
    [Fact]
    public void Outputs_and_gradients_equal_the_scalar_twin() => VocabularyLossChecks.Twin();

    [Fact]
    public void Threads_and_neighbours_do_not_change_a_bit() => VocabularyLossChecks.Invariance();

    [Fact]
    public void Ties_take_the_lowest_index_and_nan_stays_in_its_row() => VocabularyLossChecks.TiesAndNotFinite();
}
