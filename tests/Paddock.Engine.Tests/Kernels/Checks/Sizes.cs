namespace Paddock.Engine.Tests.Kernels.Checks;

/// <summary>Lengths around every register width, and some larger ones.</summary>
internal static class Sizes
{
    public static readonly int[] BoundaryWidths = [1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 192, 515];

    public static readonly int[] BoundaryCounts = [0, .. BoundaryWidths, 8191, 8192, 8193, 70_001];
}
