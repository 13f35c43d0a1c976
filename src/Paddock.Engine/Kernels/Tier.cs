using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Paddock.Engine.Kernels;

/// <summary>Width of the registers the kernels use; results are the same bits within a tier.</summary>
internal enum TierKind { Scalar, Vector128, Vector256, Vector512 }

/// <summary>The instruction-set tier of this process.</summary>
internal static class Tier
{
    /// <summary>The widest the runtime recommends, so that settings such as DOTNET_PreferredVectorBitWidth are followed; 256 bits need FMA too.</summary>
    public static TierKind Current =>
        Vector512.IsHardwareAccelerated ? TierKind.Vector512
        : Vector256.IsHardwareAccelerated && Fma.IsSupported ? TierKind.Vector256
        : Vector128.IsHardwareAccelerated ? TierKind.Vector128
        : TierKind.Scalar;
}
