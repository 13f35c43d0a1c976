using Paddock.Engine.Tests.Kernels.Checks;

namespace Paddock.Engine.Tests.Kernels;

public class AttentionTests
{
    [Fact]
    public void Output_and_gradient_equal_the_scalar_twin() => AttentionChecks.Twin();

    [Fact]
    public void Threads_neighbours_and_later_tokens_do_not_change_a_bit() => AttentionChecks.Invariance();

    [Fact]
    public void Nan_reaches_later_rows_of_its_sequence_only() => AttentionChecks.NotFinite();
}
