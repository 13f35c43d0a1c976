using Paddock.Engine.Checkpoints;
using Paddock.Engine.Memory;
using Paddock.Engine.Models;
using Paddock.Engine.Models.Families;
using Paddock.Engine.Numerics;

namespace Paddock.Engine.Adapters;

/// <summary>
/// All adapters of one model in a flat buffer, and under a scalar head the head, which has to learn too. Fresh adapters start as PEFT's do:
/// A uniform in +-1/sqrt(in), B zero, so that the model is unchanged.
/// </summary>
internal sealed unsafe class LoraAdapters : IDisposable
{
    // PEFT names a module of the wrapped model under these two
    private const string PeftPrefix = "base_model.model.";

    private readonly LayoutBuilder _layout = new();
    private readonly List<TensorMap> _maps = [];
    private readonly List<(Parameter Matrix, LoraGroup Group)> _groups = [];

    public LoraAdapters(ModelWeights weights, LoraOptions options, ulong seed)
    {
        options.Check();
        foreach (string target in options.Targets)
            CheckTarget(weights, target);
        List<(Parameter Matrix, Parameter A, List<LoraSite> Sites)> plan = [];
        for (int l = 0; l < weights.Layout.Layers.Count; l++)
            Plan(weights.Sites(l), options, plan);
        if (weights.Layout.Score is { } score)
        {
            Score = _layout.Matrix("score", 1, score.Columns);
            _maps.Add(new(PeftPrefix + ModelFamily.ScoreName, Score));
        }
        Values = new(_layout.Length);
        foreach ((Parameter matrix, Parameter a, List<LoraSite> sites) in plan)
        {
            _groups.Add((matrix, new(Values, options.Rank, options.Scale, a, sites)));
            for (int j = 0; j < sites.Count; j++)
                FillUniform(a, j * options.Rank, options.Rank, new(seed, "init/adapter/" + sites[j].Path));
        }
        if (Score != null)
            weights.Values(weights.Layout.Score!).CopyTo(Values.Slice(Score.Offset, Score.Count));
    }

    public NativeBuffer Values { get; }

    public IReadOnlyList<Parameter> All => _layout.All;

    /// <summary>The trained scalar head, or null under a token head.</summary>
    public Parameter? Score { get; }

    /// <summary>Matrices with their adapters, from the first layer to the last.</summary>
    public IReadOnlyList<(Parameter Matrix, LoraGroup Group)> Groups => _groups;

    /// <summary>The adapters of a matrix, or null.</summary>
    public LoraGroup? Of(Parameter matrix)
    {
        foreach ((Parameter candidate, LoraGroup group) in _groups)
            if (candidate == matrix)
                return group;
        return null;
    }

    /// <summary>Last parts of the names of the adapted modules, each once.</summary>
    public List<string> Modules()
    {
        List<string> modules = [];
        foreach ((_, LoraGroup group) in _groups)
            foreach (LoraSite site in group.Sites)
            {
                string module = site.Path[(site.Path.LastIndexOf('.') + 1)..];
                if (!modules.Contains(module))
                    modules.Add(module);
            }
        return modules;
    }

    /// <summary>The tensors of a PEFT adapter file over a buffer of this layout.</summary>
    public IEnumerable<ExportTensor> Export(NativeBuffer buffer)
    {
        foreach (TensorMap map in _maps)
            yield return map.Export(buffer);
    }

    /// <summary>Reads a PEFT adapter file; every tensor must be there and no other.</summary>
    public void Load(IWeightSource source)
    {
        HashSet<string> known = [];
        foreach (TensorMap map in _maps)
        {
            map.Check(source, map.Name);
            known.Add(map.Name);
        }
        foreach (string name in source.Tensors.Keys)
            if (!known.Contains(name))
                throw new BadInputException($"{source.Place}: tensor '{name}' is not one of these adapters; check the rank, the targets and the model");
        foreach (TensorMap map in _maps)
            map.Read(source, map.Name, Values);
    }

    public void Dispose() => Values.Dispose();

    private void Plan(IReadOnlyList<ProjectionSite> sites, LoraOptions options, List<(Parameter, Parameter, List<LoraSite>)> plan)
    {
        for (int first = 0; first < sites.Count;)
        {
            Parameter matrix = sites[first].Matrix;
            List<ProjectionSite> chosen = [];
            for (; first < sites.Count && sites[first].Matrix == matrix; first++)
                if (IsChosen(sites[first], options.Targets))
                    chosen.Add(sites[first]);
            if (chosen.Count == 0)
                continue;
            Parameter a = _layout.Matrix(matrix.Name + ".A", chosen.Count * options.Rank, matrix.Columns);
            List<LoraSite> adapters = [];
            for (int j = 0; j < chosen.Count; j++)
            {
                Parameter b = _layout.Matrix($"{matrix.Name}.B.{j}", chosen[j].Rows, options.Rank);
                adapters.Add(new(chosen[j].Path, chosen[j].FirstRow, b));
                _maps.Add(new($"{PeftPrefix}{chosen[j].Path}.lora_A.weight", a, j * options.Rank, options.Rank, false));
                _maps.Add(new($"{PeftPrefix}{chosen[j].Path}.lora_B.weight", b) { StoredRows = chosen[j].StoredRows });
            }
            plan.Add((matrix, a, adapters));
        }
    }

    private static bool IsChosen(ProjectionSite site, IReadOnlyList<string> targets)
    {
        if (targets.Count == 0)
            return true;
        foreach (string target in targets)
            if (Answers(site, target))
                return true;
        return false;
    }

    // by the short name or by the module's own: q or q_proj
    private static bool Answers(ProjectionSite site, string target)
    {
        foreach (string name in site.Targets)
            if (name == target)
                return true;
        return site.Path.EndsWith("." + target, StringComparison.Ordinal);
    }

    // some layers may lack a projection that others have
    private static void CheckTarget(ModelWeights weights, string target)
    {
        List<string> known = [];
        for (int l = 0; l < weights.Layout.Layers.Count; l++)
            foreach (ProjectionSite site in weights.Sites(l))
            {
                if (Answers(site, target))
                    return;
                foreach (string name in site.Targets)
                    if (!known.Contains(name))
                        known.Add(name);
            }
        throw new BadInputException($"lora: this model has no projection '{target}' to adapt; it has {string.Join(", ", known)}");
    }

    private void FillUniform(Parameter a, int firstRow, int rows, RandomStream stream)
    {
        double bound = 1 / Math.Sqrt(a.Columns);
        foreach (ref float value in Values.Slice(a.Offset + (long)firstRow * a.Columns, rows * a.Columns))
            value = (float)(bound * (2 * stream.NextDouble() - 1));
    }
}
