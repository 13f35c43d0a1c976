using System.Globalization;

namespace Paddock.Studies.Recipes;

/// <summary>Single values of a recipe, read by the type that wants them and never guessed: <c>no</c> is text unless a bool is wanted.</summary>
internal static class Scalars
{
    public static readonly CultureInfo Culture = CultureInfo.InvariantCulture;

    public static bool IsScalar(Type type) => type.IsEnum || Type.GetTypeCode(type) is TypeCode.String or TypeCode.Boolean or TypeCode.Int32
        or TypeCode.UInt32 or TypeCode.Int64 or TypeCode.UInt64 or TypeCode.Single or TypeCode.Double;

    /// <summary>The value, or null with the problem in words.</summary>
    public static object? Read(string text, Type type, out string problem)
    {
        problem = "";
        if (type == typeof(string))
            return text;
        if (type.IsEnum)
            return ReadEnum(text, type, out problem);
        object? value = Type.GetTypeCode(type) switch
        {
            TypeCode.Boolean => text.ToLowerInvariant() switch { "true" or "yes" or "on" => true, "false" or "no" or "off" => false, _ => null },
            TypeCode.Int32 => int.TryParse(text, NumberStyles.AllowLeadingSign, Culture, out int i) ? i : null,
            TypeCode.UInt32 => uint.TryParse(text, NumberStyles.None, Culture, out uint u) ? u : null,
            TypeCode.Int64 => long.TryParse(text, NumberStyles.AllowLeadingSign, Culture, out long l) ? l : null,
            TypeCode.UInt64 => ulong.TryParse(text, NumberStyles.None, Culture, out ulong v) ? v : null,
            TypeCode.Single => ReadReal(text) is { } d && float.IsFinite((float)d) ? float.Parse(text, RealStyle, Culture) : null,
            TypeCode.Double => ReadReal(text),
            _ => throw new ArgumentException($"no recipe can hold a {type.Name}"),
        };
        if (value == null)
            problem = $"expected {Wanted(type)}, found '{Names.Shorten(text)}'";
        return value;
    }

    /// <summary>What <see cref="Read"/> reads back as the same value.</summary>
    public static string Text(object value) => value switch
    {
        string text => text,
        bool flag => flag ? "true" : "false",
        Enum name => Names.Kebab(name.ToString()),
        double number => number.ToString("R", Culture),
        float number => number.ToString("R", Culture),
        IFormattable number => number.ToString(null, Culture),
        _ => throw new ArgumentException($"no recipe can hold a {value.GetType().Name}"),
    };

    /// <summary>A type in words.</summary>
    public static string Name(Type type)
    {
        if (type == typeof(string))
            return "text";
        if (type.IsEnum)
            return string.Join(" | ", EnumNames(type));
        if (IsScalar(type))
            return Type.GetTypeCode(type) switch { TypeCode.Boolean => "true or false", TypeCode.Single or TypeCode.Double => "number", _ => "whole number" };
        return Collections.ElementOf(type) is { } element ? $"list of {Name(element)}" : Collections.MapOf(type) is { } map ? $"map to {Name(map.Value)}" : "map of keys";
    }

    private const NumberStyles RealStyle = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;

    private static double? ReadReal(string text) => double.TryParse(text, RealStyle, Culture, out double d) && double.IsFinite(d) ? d : null;

    private static object? ReadEnum(string text, Type type, out string problem)
    {
        string[] names = [.. EnumNames(type)];
        int index = Array.IndexOf(names, text);
        problem = index >= 0 ? "" : $"unknown value '{Names.Shorten(text)}'{Names.Hint(text, names, "values")}";
        return index >= 0 ? Enum.GetValues(type).GetValue(index) : null;
    }

    private static IEnumerable<string> EnumNames(Type type) => Enum.GetNames(type).Select(Names.Kebab);

    private static string Wanted(Type type) => Type.GetTypeCode(type) switch
    {
        TypeCode.Boolean => "true or false",
        TypeCode.Single or TypeCode.Double => "a finite number such as 0.1 or 1e-5",
        TypeCode.UInt32 => $"a whole number from 0 to {uint.MaxValue}",
        TypeCode.UInt64 => $"a whole number from 0 to {ulong.MaxValue}",
        TypeCode.Int32 => $"a whole number up to {int.MaxValue}",
        _ => $"a whole number up to {long.MaxValue}",
    };
}

/// <summary>Which types are lists and maps to a recipe.</summary>
internal static class Collections
{
    /// <summary>Element of an array or read-only list, else null.</summary>
    public static Type? ElementOf(Type type) => type.IsArray ? type.GetElementType()
        : type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>) ? type.GetGenericArguments()[0]
        : null;

    /// <summary>Key and value of a read-only dictionary from text or from the values of an enum, else null.</summary>
    public static (Type Key, Type Value)? MapOf(Type type) =>
        type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyDictionary<,>) && type.GetGenericArguments() is [var key, var value] && (key == typeof(string) || key.IsEnum)
            ? (key, value)
            : null;
}
