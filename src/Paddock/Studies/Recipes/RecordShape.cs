using Paddock.Data;
using System.Collections.Concurrent;
using System.Reflection;

namespace Paddock.Studies.Recipes;

/// <summary>The constructor of a settings record, as the reader and the writer see it.</summary>
internal sealed class RecordShape
{
    private static readonly ConcurrentDictionary<Type, RecordShape> Known = new();

    private RecordShape(Type type)
    {
        Constructor = type.GetConstructors().OrderByDescending(c => c.GetParameters().Length).FirstOrDefault()
            ?? throw new ArgumentException($"{type.Name} has no public constructor, so no recipe can make one");
        Parameters = [.. Constructor.GetParameters().Select(p => new SettingParameter(type, p))];
        Shorthand = Parameters.Count(p => p.Required) == 1 ? Parameters.SingleOrDefault(p => p.Required && p.Type == typeof(string)) : null;
    }

    public ConstructorInfo Constructor { get; }

    public IReadOnlyList<SettingParameter> Parameters { get; }

    /// <summary>The only required parameter, where it is text: the record may then be written as that text alone.</summary>
    public SettingParameter? Shorthand { get; }

    public static RecordShape Of(Type type) => Known.GetOrAdd(type, t => new RecordShape(t));

    /// <summary>Own keys and those of inlined records.</summary>
    public IEnumerable<SettingParameter> AllParameters() => Parameters.SelectMany(p => p.Inline ? Of(p.Type).AllParameters() : [p]);

    public IReadOnlyList<SettingKey> Keys() => [.. AllParameters().Select(p => new SettingKey(p.Key, Scalars.Name(p.Type), p.Required ? null : p.DefaultText))];
}

/// <summary>One parameter of a settings record: one key of a recipe.</summary>
internal sealed class SettingParameter
{
    private readonly PropertyInfo _property;
    private readonly ParameterInfo _parameter;

    public SettingParameter(Type record, ParameterInfo parameter)
    {
        _parameter = parameter;
        _property = record.GetProperty(parameter.Name!) ?? throw new ArgumentException($"{record.Name}.{parameter.Name} is no property, so no positional record");
        Type = Nullable.GetUnderlyingType(parameter.ParameterType) ?? parameter.ParameterType;
        NullAllowed = new NullabilityInfoContext().Create(parameter).WriteState == NullabilityState.Nullable;
        Inline = parameter.IsDefined(typeof(InlineAttribute));
        TakesFile = parameter.IsDefined(typeof(TakesFileAttribute));
        Range = SettingRange.Of(parameter);
        Key = Names.Kebab(parameter.Name!);
    }

    public string Key { get; }

    public Type Type { get; }

    public bool NullAllowed { get; }

    public bool Inline { get; }

    /// <summary>A name that may also be written as <c>{file: PATH}</c>.</summary>
    public bool TakesFile { get; }

    /// <summary>Null when any value will do.</summary>
    public SettingRange? Range { get; }

    public bool Required => !_parameter.HasDefaultValue && !Inline;

    public string DefaultText => _parameter.DefaultValue is { } value ? Scalars.Text(Type.IsEnum ? Enum.ToObject(Type, value) : value) : "null";

    public object? ValueIn(object record) => _property.GetValue(record);
}
