using Paddock.Engine.Numerics;

namespace Paddock.Engine.Tests.Numerics;

public class RandomStreamTests
{
    [Fact]
    public void The_same_name_gives_the_same_draws_and_another_name_others()
    {
        RandomStream a = new(1, "data"), b = new(1, "data"), c = new(1, "init");
        ulong first = a.NextUInt64();
        Assert.Equal(first, b.NextUInt64());
        Assert.NotEqual(first, c.NextUInt64());
    }

    [Fact]
    public void A_split_does_not_depend_on_what_was_drawn_before()
    {
        RandomStream a = new(1, "data"), b = new(1, "data");
        for (int i = 0; i < 100; i++)
            a.NextUInt32();
        Assert.Equal(a.Split(5).NextUInt64(), b.Split(5).NextUInt64());
        Assert.NotEqual(b.Split(5).NextUInt64(), b.Split(6).NextUInt64());
    }

    [Fact]
    public void Draws_have_the_moments_of_their_distributions()
    {
        RandomStream stream = new(7, "moments");
        double sum = 0, squares = 0, uniform = 0;
        const int N = 200_000;
        int[] counts = new int[7];
        for (int i = 0; i < N; i++)
        {
            double z = stream.NextGaussian();
            sum += z;
            squares += z * z;
            uniform += stream.NextDouble();
            counts[stream.NextInt(7)]++;
        }
        // five standard errors each: 1/sqrt(N), sqrt(2/N), sqrt(1/12N), sqrt(N*6/49)
        Assert.InRange(sum / N, -0.0112, 0.0112);
        Assert.InRange(squares / N, 1 - 0.0159, 1 + 0.0159);
        Assert.InRange(uniform / N, 0.5 - 0.0033, 0.5 + 0.0033);
        Assert.All(counts, count => Assert.InRange(count, N / 7.0 - 783, N / 7.0 + 783));
    }

    [Fact]
    public void A_permutation_holds_every_index_once()
    {
        int[] order = new RandomStream(3, "order").Permutation(100);
        Assert.NotEqual(order, [.. Enumerable.Range(0, 100)]);
        Assert.Equal(Enumerable.Range(0, 100), order.Order());
    }
}
