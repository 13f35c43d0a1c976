using System.Reflection;
using Paddock.Data;
using Paddock.Engine;
using Paddock.Tests.Shared;

namespace Paddock.Tests.Architecture;

/// <summary>Arrows point one way. What a namespace may use, read from the compiled code: signatures and method bodies.</summary>
public class DirectionTests
{
    // a name stands for its namespace and all below it; 'Paddock.Engine.' with the dot for its root alone
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Paddock.Storage"] = ["Paddock.Engine."],
        ["Paddock.Data"] = ["Paddock.Storage", "Paddock.Engine."],
        ["Paddock.Backends"] = ["Paddock.Data", "Paddock.Storage", "Paddock.Engine"],
        ["Paddock.Evaluation"] = ["Paddock.Engine.", "Paddock.Engine.Numerics"],
        ["Paddock.Evaluation.Benchmarks"] = ["Paddock.Evaluation", "Paddock.Data", "Paddock.Engine.", "Paddock.Engine.Numerics"],
        ["Paddock.Methods.Formulas"] = ["Paddock.Backends.", "Paddock.Engine.", "Paddock.Engine.Numerics", "Paddock.Engine.Training"],
        ["Paddock.Methods"] = ["Paddock.Backends.", "Paddock.Data", "Paddock.Evaluation", "Paddock.Engine.", "Paddock.Engine.Numerics", "Paddock.Engine.Training"],
        ["Paddock.Worlds"] = ["Paddock.Data", "Paddock.Engine.", "Paddock.Engine.Numerics"],
        ["Paddock.Judging"] = ["Paddock.Backends.", "Paddock.Data", "Paddock.Storage", "Paddock.Engine.", "Paddock.Engine.Numerics"],
        ["Paddock.Studies"] = ["Paddock.Judging", "Paddock.Methods", "Paddock.Evaluation", "Paddock.Worlds", "Paddock.Backends", "Paddock.Data", "Paddock.Storage", "Paddock.Engine"],
        ["Paddock.Reports"] = ["Paddock.Studies", "Paddock.Judging", "Paddock.Methods", "Paddock.Evaluation", "Paddock.Worlds", "Paddock.Backends", "Paddock.Data", "Paddock.Storage", "Paddock.Engine"],
    };

    // a recipe's pretraining and the machine's description are the two places of Studies that know what lies below the seam
    private static readonly Dictionary<string, string[]> Embedded = new() { ["Paddock.Studies"] = ["Paddock.Studies.Stages.PretrainStage", "Paddock.Studies.MachineInfo"] };

    public static TheoryData<string> Areas => [.. Allowed.Keys];

    [Theory]
    [MemberData(nameof(Areas))]
    public void A_namespace_uses_only_what_stands_below_it(string area)
    {
        Type[] types = [.. Library.GetTypes().Where(type => AreaOf(type) == area)];
        Assert.NotEmpty(types);
        List<string> wrong = [];
        int seen = 0;
        foreach (Type type in types)
            foreach (Type used in References.Of(type).Where(t => t.Namespace?.StartsWith("Paddock", StringComparison.Ordinal) == true))
            {
                seen++;
                if (!IsWithin(used.Namespace!, area) && !Allowed[area].Any(allowed => IsWithin(used.Namespace!, allowed)))
                    wrong.Add($"{type.FullName} uses {used.FullName}");
            }
        Assert.True(seen > types.Length, "the check sees nothing");
        Assert.Empty(wrong);
    }

    [Fact]
    public void Every_namespace_of_the_library_has_its_place()
    {
        foreach (Type type in Library.GetTypes().Where(t => t.Namespace?.StartsWith("Paddock", StringComparison.Ordinal) == true))
            Assert.True(Allowed.ContainsKey(AreaOf(type)), $"{type.FullName}: say in this test what its namespace may use");
    }

    [Fact]
    public void The_engine_knows_nothing_of_the_library_nor_of_any_package()
    {
        string[] referenced = [.. typeof(BadInputException).Assembly.GetReferencedAssemblies().Select(a => a.Name!)];
        Assert.DoesNotContain(referenced, name => name.StartsWith("Paddock", StringComparison.Ordinal));
        Assert.All(referenced, name => Assert.StartsWith("System", name));
        Assert.DoesNotContain(Library.GetReferencedAssemblies(), a => a.Name is "paddock" or "Paddock.Cli");
    }

    [Fact]
    public void Only_pretraining_and_the_machine_look_below_the_seam_in_studies()
    {
        List<string> wrong = [];
        foreach (Type type in Library.GetTypes().Where(type => AreaOf(type) is "Paddock.Studies"))
            foreach (Type used in References.Of(type).Where(t => t.Namespace is { } n && (IsWithin(n, "Paddock.Backends.Embedded") || (IsWithin(n, "Paddock.Engine") && n is not ("Paddock.Engine" or "Paddock.Engine.Numerics")))))
                if (!Embedded["Paddock.Studies"].Any(known => type.FullName!.StartsWith(known, StringComparison.Ordinal)))
                    wrong.Add($"{type.FullName} uses {used.FullName}");
        Assert.Empty(wrong);
    }

    [Fact]
    public void A_reference_in_a_body_is_seen()
    {
        // of an asynchronous method and of a lambda: in the types that the compiler makes for them
        Type[] made = [.. typeof(DirectionTests).Assembly.GetTypes().Where(t => t.FullName!.Contains("+Probe", StringComparison.Ordinal))];
        Assert.True(made.Length > 1);
        Assert.Contains(made, type => References.Of(type).Contains(typeof(BadInputException)));
        Assert.Contains(made, type => References.Of(type).Contains(typeof(Prompt)));
        Assert.All(made, type => Assert.Equal(typeof(DirectionTests).Namespace, type.Namespace));
    }

    [Fact]
    public void Namespaces_are_folders()
    {
        List<string> wrong = [];
        int files = 0;
        foreach (string project in (string[])["Paddock", "Paddock.Engine", "Paddock.Cli"])
        {
            string root = Path.Combine(SharedFolder.RepositoryRoot, "src", project);
            foreach (string file in Sources(root))
            {
                string folder = Path.GetRelativePath(root, Path.GetDirectoryName(file)!), expected = folder == "." ? project : $"{project}.{folder.Replace(Path.DirectorySeparatorChar, '.')}";
                string? declared = File.ReadLines(file).FirstOrDefault(line => line.StartsWith("namespace ", StringComparison.Ordinal))?["namespace ".Length..].TrimEnd(';', ' ');
                files++;
                if (declared != null && declared != expected)
                    wrong.Add($"{Path.GetRelativePath(root, file)}: {declared}");
            }
        }
        Assert.True(files > 100);
        Assert.Empty(wrong);
    }

    [Fact]
    public void A_file_is_one_idea_long()
    {
        List<string> wrong = [];
        foreach (string file in Sources(Path.Combine(SharedFolder.RepositoryRoot, "src")))
        {
            string folder = Path.GetFileName(Path.GetDirectoryName(file)!), path = Path.GetRelativePath(SharedFolder.RepositoryRoot, file).Replace('\\', '/');
            int most = path.Contains("/Kernels/", StringComparison.Ordinal) ? 600 : folder == "Methods" ? 450 : 400, lines = File.ReadLines(file).Count();
            if (lines > most)
                wrong.Add($"{path}: {lines} lines, at most {most}");
        }
        Assert.Empty(wrong);
    }

    private static Assembly Library => typeof(Prompt).Assembly;

    private static IEnumerable<string> Sources(string root) => Directory.EnumerateFiles(root, "*.cs", SearchOption.AllDirectories)
        .Where(file => !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal) && !file.Contains($"{Path.DirectorySeparatorChar}bin{Path.DirectorySeparatorChar}", StringComparison.Ordinal));

    // the most specific entry that the type's namespace is within; nested and generated types have the namespace of what holds them
    private static string AreaOf(Type type) => Allowed.Keys.Where(area => type.Namespace is { } name && IsWithin(name, area)).MaxBy(area => area.Length) ?? type.Namespace ?? "";

    private static bool IsWithin(string name, string area) => area.EndsWith('.') ? name == area[..^1] : name == area || name.StartsWith(area + ".", StringComparison.Ordinal);

    private sealed class Probe
    {
        public static async Task<object> LookAsync(bool throws)
        {
            await Task.Yield();
            return throws ? throw new BadInputException("seen") : ((Func<object>)(() => Prompt.FromInstruction("a", "b")))();
        }
    }
}
