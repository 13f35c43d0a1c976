using Paddock.Engine.Tests.Kernels.Checks;

namespace Paddock.Engine.Tests.Kernels;

public class MatMulTests
{
    [Fact]
    public void Every_form_equals_its_scalar_twin_at_boundary_sizes() => MatMulChecks.Twin();

    [Fact]
    public void Any_number_of_threads_gives_the_same_bits() => MatMulChecks.Threads();

    [Fact]
    public void A_row_alone_has_the_bits_it_has_among_others() => MatMulChecks.RowAlone();

    [Fact]
    public void Nan_and_infinity_stay_in_their_row() => MatMulChecks.NotFinite();
}
