using Paddock.Engine.Tests.Kernels.Checks;

namespace Paddock.Engine.Tests.Kernels;

public class NormTests
{
    [Fact]
    public void Both_norms_equal_their_scalar_twins_at_boundary_sizes() => NormChecks.Twin();

    [Fact]
    public void Threads_and_neighbours_do_not_change_a_bit() => NormChecks.Invariance();

    [Fact]
    public void Query_and_key_norm_equals_its_scalar_twin() => NormChecks.QueryKeyTwin();

    [Fact]
    public void Nan_stays_in_its_row() => NormChecks.NotFinite();
}
