using System.Reflection;
using Paddock.Studies.Recipes;

namespace Paddock.Studies;

/// <summary>The closed set of stage kinds: from the key that a recipe writes (<c>reward-model</c>) to the record it is bound to.</summary>
public sealed class StageTable
{
    private readonly Dictionary<string, Type> _types = new(StringComparer.Ordinal);
    private readonly Dictionary<Type, string> _kinds = [];

    /// <param name="types">Records that implement <see cref="IStage"/>; each may stand under one key only.</param>
    public StageTable(IReadOnlyDictionary<string, Type> types)
    {
        foreach ((string kind, Type type) in types)
        {
            if (!type.IsAssignableTo(typeof(IStage)))
                throw new ArgumentException($"{type.Name} under '{kind}' is no stage", nameof(types));
            _types.Add(kind, type);
            _kinds.Add(type, kind);
        }
    }

    /// <summary>All kinds, in the order of the table.</summary>
    public IReadOnlyCollection<string> Kinds => _types.Keys;

    /// <summary>The key that recipes write for this stage.</summary>
    public string KindOf(IStage stage) => _kinds.TryGetValue(stage.GetType(), out string? kind)
        ? kind
        : throw new ArgumentException($"{stage.GetType().Name} is in no line of the table of stages", nameof(stage));

    /// <summary>The keys a stage of this kind takes, in order, those of inlined records included: for help texts and pages.</summary>
    public IReadOnlyList<SettingKey> KeysOf(string kind) => RecordShape.Of(_types[kind]).Keys();

    /// <summary>What stages of this kind make; unknown where the kind is, or does not say.</summary>
    public StageProduct ProductOf(string? kind) => kind != null && _types.TryGetValue(kind, out Type? type) ? ProductOf(type) : StageProduct.Unknown;

    internal static StageProduct ProductOf(Type type) => type.GetCustomAttribute<MakesAttribute>()?.Product ?? StageProduct.Unknown;

    internal Type? TypeOf(string kind) => _types.GetValueOrDefault(kind);
}

/// <param name="Key">As a recipe writes it.</param>
/// <param name="Type">In words: <c>number</c>, <c>list of text</c>.</param>
/// <param name="Default">As a recipe would write it; null when the key is required.</param>
public sealed record SettingKey(string Key, string Type, string? Default);
