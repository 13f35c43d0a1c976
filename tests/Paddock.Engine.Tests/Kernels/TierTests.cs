using System.Diagnostics;
using Paddock.Engine.Kernels;

namespace Paddock.Engine.Tests.Kernels;

/// <summary>The checks of all kernels on the narrower tiers, each in a child process that asserts which tier it got.</summary>
public class TierTests
{
    [Fact]
    public void Kernels_pass_their_checks_on_256_bits() => Probe(TierKind.Vector256, "DOTNET_EnableAVX512");

    [Fact]
    public void Kernels_pass_their_checks_on_128_bits() => Probe(TierKind.Vector128, "DOTNET_EnableAVX2");

    [Fact]
    public void Kernels_pass_their_checks_without_vectors() => Probe(TierKind.Scalar, "DOTNET_EnableHWIntrinsic");

    private static void Probe(TierKind tier, string switchedOff)
    {
        // a machine without 256 bits finds its own tier again
        TierKind expected = tier < Tier.Current ? tier : Tier.Current;
        string program = AppContext.BaseDirectory.Replace("Paddock.Engine.Tests", "Paddock.Engine.TierProbe", StringComparison.Ordinal);
        string host = Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? Environment.ProcessPath! : "dotnet";
        ProcessStartInfo start = new(host) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(Path.Combine(program, "Paddock.Engine.TierProbe.dll"));
        start.ArgumentList.Add(expected.ToString());
        start.Environment[switchedOff] = "0";
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd() + errors.Result;
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, output);
    }
}
