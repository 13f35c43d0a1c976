using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Paddock.Studies;

/// <summary>The machine a result was made on, without its name.</summary>
/// <param name="Tier">Instruction-set tier: same seed, same bits within one tier.</param>
/// <param name="Threads">Compute threads; results do not depend on them.</param>
public sealed record MachineInfo(string System, string Architecture, string Processor, int Cores, double MemoryGb, string Runtime, string Tier, int Threads)
{
    /// <summary>Describes this machine.</summary>
    public static MachineInfo Describe(int threads) => new(RuntimeInformation.OSDescription, RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant(),
        ProcessorName(), Environment.ProcessorCount, Math.Round(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / (double)(1 << 30), 1),
        RuntimeInformation.FrameworkDescription, CurrentTier, threads);

    /// <summary>Widest vectors that this process computes with: <c>512-bit</c>, <c>256-bit</c>, <c>128-bit</c> or <c>scalar</c>.</summary>
    public static string CurrentTier => Vector512.IsHardwareAccelerated ? "512-bit" : Vector256.IsHardwareAccelerated ? "256-bit"
        : Vector128.IsHardwareAccelerated ? "128-bit" : "scalar";

    private static string ProcessorName()
    {
        const string CpuInfo = "/proc/cpuinfo";
        try
        {
            string? line = File.Exists(CpuInfo) ? File.ReadLines(CpuInfo).FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal)) : null;
            return line?[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim() ?? Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER") ?? "unknown";
        }
        catch (IOException)
        {
            return "unknown";
        }
    }
}
