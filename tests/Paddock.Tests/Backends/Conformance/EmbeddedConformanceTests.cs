using Paddock.Backends;

namespace Paddock.Tests.Backends.Conformance;

/// <summary>The embedded backend against the contract of the seam: full and low-rank training, token and scalar heads.</summary>
public class EmbeddedConformanceTests
{
    private static readonly (string Name, Head Head, bool Lora)[] Models =
        [("full token", Head.Token, false), ("lora token", Head.Token, true), ("full scalar", Head.Scalar, false), ("lora scalar", Head.Scalar, true)];

    public static TheoryData<string, string> TrainingChecks => Cases(BackendConformance.Training.Keys, _ => true);

    public static TheoryData<string, string> SamplingChecks => Cases(BackendConformance.Sampling.Keys, head => head == Head.Token);

    public static TheoryData<string, string> DistributionChecks => Cases(BackendConformance.Distributions.Keys, head => head == Head.Token);

    [Theory]
    [MemberData(nameof(TrainingChecks))]
    public Task Training_keeps_the_contract(string model, string check) => RunAsync(model, BackendConformance.Training[check]);

    [Theory]
    [MemberData(nameof(SamplingChecks))]
    public Task Sampling_keeps_the_contract(string model, string check) => RunAsync(model, BackendConformance.Sampling[check]);

    [Theory]
    [MemberData(nameof(DistributionChecks))]
    public Task Distributions_keep_the_contract(string model, string check) => RunAsync(model, BackendConformance.Distributions[check]);

    private static TheoryData<string, string> Cases(IEnumerable<string> checks, Func<Head, bool> applies)
    {
        TheoryData<string, string> cases = [];
        foreach ((string name, Head head, _) in Models)
            if (applies(head))
                foreach (string check in checks)
                    cases.Add(name, check);
        return cases;
    }

    private static async Task RunAsync(string name, Func<ConformanceSubject, Task> check)
    {
        (_, Head head, bool lora) = Models.Single(m => m.Name == name);
        using TinyModel tiny = new();
        await check(new ConformanceSubject(() => tiny.Open(), tiny.Spec(head, lora ? TinyModel.Lora : null), TinyModel.Vocabulary, IsBitExact: true));
    }
}
