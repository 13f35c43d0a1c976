using System.Collections;
using System.Globalization;
using System.Reflection;

namespace Paddock.Studies.Recipes;

/// <summary>
/// Nodes onto records, by the records' constructors. It never stops at an error: what cannot be bound becomes null and is noted, so
/// that one reading of a recipe finds everything.
/// </summary>
internal sealed class Binder(StageTable table, RecipeErrors errors)
{
    private readonly Dictionary<string, int> _lines = new(StringComparer.Ordinal);
    private readonly List<BoundStage> _stages = [];
    private int _broken;

    /// <summary>Every stage in order, those that could not be bound included.</summary>
    public IReadOnlyList<BoundStage> Stages => _stages;

    private int Failures => errors.Count + _broken;

    /// <summary>Line of the setting at this path, or of the nearest one around it.</summary>
    public int LineOf(string path)
    {
        for (int end = path.Length; end > 0; end = Math.Max(path.LastIndexOf('.', end - 1), path.LastIndexOf('[', end - 1)))
            if (_lines.TryGetValue(path[..end], out int line))
                return line;
        return 1;
    }

    public object? Bind(RecipeNode node, Type type, string path)
    {
        _lines[path] = node.Line;
        if (node is BrokenNode)
        {
            _broken++;
            return null;
        }
        if (node is ScalarNode { IsNull: true })
            return Fail(node, path, $"needs a value{(type == typeof(string) ? " (put it in quotes if it is meant as text)" : "")}");
        if (type == typeof(IStage))
            return BindStage(node, path);
        if (Collections.ElementOf(type) is { } element)
            return BindList(node, element, path);
        if (Collections.MapOf(type) is { } map)
            return BindMap(node, map.Key, map.Value, path);
        if (!Scalars.IsScalar(type))
            return BindRecord(node, type, path);
        if (node is not ScalarNode scalar)
            return Fail(node, path, $"expected {Scalars.Name(type)}, found {node.Describe}");
        return Scalars.Read(scalar.Value, type, out string problem) ?? Fail(node, path, problem);
    }

    private object? BindStage(RecipeNode node, string path)
    {
        if (node is not MapNode { Entries: [var entry] })
            return Fail(node, path, node is MapNode map
                ? $"a stage is one kind with its settings below it, found {map.Entries.Count} keys{(map.Entries.Count == 0 ? "" : $": {string.Join(", ", map.Entries.Select(e => e.Key))}")}"
                : $"a stage is 'kind: {{name: ..., ...}}', found {node.Describe}");
        string below = $"{path}.{entry.Key}";
        string? name = (entry.Value as MapNode)?.Entries.FirstOrDefault(e => e.Key == "name")?.Value is ScalarNode scalar ? scalar.Value : null;
        IStage? stage = table.TypeOf(entry.Key) is { } type
            ? Bind(entry.Value, type, below) as IStage
            : Fail(node, below, $"unknown stage '{Names.Shorten(entry.Key)}'{Names.Hint(entry.Key, table.Kinds, "stages")}") as IStage;
        _lines[below] = entry.Line;
        _stages.Add(new BoundStage(stage, name, below));
        return stage;
    }

    private Array? BindList(RecipeNode node, Type element, string path)
    {
        if (node is not ListNode list)
            return (Array?)Fail(node, path, $"expected a list, found {node.Describe}");
        int before = Failures;
        Array items = Array.CreateInstance(element, list.Items.Count);
        for (int i = 0; i < list.Items.Count; i++)
            if (Bind(list.Items[i], element, $"{path}[{i}]") is { } item)
                items.SetValue(item, i);
        return Failures == before ? items : null;
    }

    private IDictionary? BindMap(RecipeNode node, Type key, Type value, string path)
    {
        if (node is not MapNode map)
            return (IDictionary?)Fail(node, path, $"expected a map, found {node.Describe}");
        IDictionary items = (IDictionary)Activator.CreateInstance(typeof(OrderedDictionary<,>).MakeGenericType(key, value))!;
        foreach (MapEntry entry in map.Entries)
        {
            object? item = Bind(entry.Value, value, $"{path}.{entry.Key}");
            if (Scalars.Read(entry.Key, key, out string problem) is not { } name)
                errors.Add(entry.Line, $"{path}.{entry.Key}", problem);
            else if (item != null)
                items.Add(name, item);
        }
        return items.Count == map.Entries.Count ? items : null;
    }

    private object? BindRecord(RecipeNode node, Type type, string path)
    {
        RecordShape shape = RecordShape.Of(type);
        if (node is ScalarNode && shape.Shorthand is { } only)
            node = new MapNode([new MapEntry(only.Key, node, node.Line)], node.Line);
        if (node is not MapNode map)
            return Fail(node, path, $"expected keys below it, found {node.Describe}{(shape.Shorthand is null ? "" : " (or one text)")}");
        string[] known = [.. shape.AllParameters().Select(p => p.Key)];
        HashSet<string> meant = new(StringComparer.Ordinal);
        foreach (MapEntry entry in map.Entries.Where(e => !known.Contains(e.Key)))
        {
            string[] free = [.. known.Where(k => map.Entries.All(e => e.Key != k))];
            meant.Add(Names.Nearest(entry.Key, free) ?? "");
            errors.Add(entry.Line, $"{path}.{entry.Key}".TrimStart('.'), $"unknown key '{Names.Shorten(entry.Key)}'{Names.Hint(entry.Key, free.Length > 0 ? free : known, "keys")}");
        }
        return Construct(map, shape, path, meant);
    }

    private object? Construct(MapNode map, RecordShape shape, string path, HashSet<string> meant)
    {
        int before = Failures;
        bool failed = meant.Count > 0;
        object?[] arguments = new object?[shape.Parameters.Count];
        for (int i = 0; i < arguments.Length; i++)
        {
            SettingParameter parameter = shape.Parameters[i];
            string below = path.Length == 0 ? parameter.Key : $"{path}.{parameter.Key}";
            if (parameter.Inline)
                arguments[i] = Construct(map, RecordShape.Of(parameter.Type), path, meant);
            else if (map.Entries.FirstOrDefault(e => e.Key == parameter.Key) is { } entry)
                arguments[i] = BindParameter(entry, parameter, below);
            else if (parameter.Required && !meant.Contains(parameter.Key))
                errors.Add(map.Line, below, $"missing key '{parameter.Key}'");
            else
                arguments[i] = Type.Missing;
        }
        if (failed || Failures > before)
            return null;
        try
        {
            return shape.Constructor.Invoke(BindingFlags.OptionalParamBinding, null, arguments, CultureInfo.InvariantCulture);
        }
        catch (TargetInvocationException e) when (e.InnerException is ArgumentException or Engine.BadInputException)
        {
            return Fail(map, path, e.InnerException.Message);
        }
    }

    private object? BindParameter(MapEntry entry, SettingParameter parameter, string path)
    {
        if (parameter.NullAllowed && entry.Value is ScalarNode { IsNull: true })
        {
            _lines[path] = entry.Line;
            return null;
        }
        RecipeNode node = parameter.TakesFile && entry.Value is MapNode { Entries: [{ Key: "file", Value: ScalarNode { IsNull: false } file }] }
            ? file with { Value = Judges.JudgeFile.Prefix + file.Value, Plain = false }
            : entry.Value;
        object? value = Bind(node, parameter.Type, path);
        if (parameter.Range?.Problem(value) is { } problem)
            errors.Add(entry.Line, path, $"{problem}, found {((ScalarNode)entry.Value).Value}");
        return value;
    }

    private object? Fail(RecipeNode node, string path, string message)
    {
        errors.Add(node.Line, path, message);
        return null;
    }
}

/// <param name="Stage">Null when it could not be bound.</param>
/// <param name="Name">As written, so that others may refer to a stage that could not be bound.</param>
/// <param name="Path">Such as <c>stages[4].dpo</c>.</param>
internal sealed record BoundStage(IStage? Stage, string? Name, string Path);
