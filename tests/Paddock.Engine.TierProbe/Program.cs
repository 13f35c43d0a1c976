using Paddock.Engine.Kernels;
using Paddock.Engine.Tests.Kernels.Checks;

namespace Paddock.Engine.TierProbe;

/// <summary>
/// Runs the kernels' checks in a process of its own, because the instruction-set tier is fixed when a process starts. Its one argument is the
/// tier it must find; exit code 0 means that it found it and that every check passed.
/// </summary>
internal static class Program
{
    private static int Main(string[] args)
    {
        string tier = Tier.Current.ToString();
        if (args is not [string expected] || tier != expected)
        {
            Console.WriteLine($"the tier is {tier}, expected {string.Join(' ', args)}");
            return 2;
        }
        int failures = 0;
        foreach ((string name, Action check) in AllChecks.List)
        {
            try
            {
                check();
            }
            catch (MismatchException mismatch)
            {
                Console.WriteLine($"{tier}, {name}: {mismatch.Message}");
                failures++;
            }
        }
        Console.WriteLine($"{tier}: {AllChecks.List.Count - failures} of {AllChecks.List.Count} checks passed");
        return failures == 0 ? 0 : 1;
    }
}
