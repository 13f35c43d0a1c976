namespace Paddock.Engine.Checkpoints;

/// <summary>
/// Metadata of a GGUF file by type. Whole numbers are accepted in any stored width when the value fits; any other mismatch is an error
/// that names file and key. Absent keys give null.
/// </summary>
public sealed class GgufMetadata
{
    private readonly Dictionary<string, object> _values;
    private readonly string _place;

    internal GgufMetadata(Dictionary<string, object> values, string place) => (_values, _place) = (values, place);

    /// <summary>
    /// Every key with its value as stored: a number of its own width, a bool, a string, an array of those, or an array of arrays.
    /// </summary>
    public IReadOnlyDictionary<string, object> Values => _values;

    public int? Int(string key) => _values.TryGetValue(key, out object? value) ? ToInt(key, value) : null;

    public int RequiredInt(string key) => Int(key) ?? throw new BadInputException($"{_place}: the metadata key '{key}' is missing");

    public double? Number(string key) => _values.TryGetValue(key, out object? value)
        ? value switch
        {
            float number when float.IsFinite(number) => number,
            double number when double.IsFinite(number) => number,
            _ => throw Wrong(key, "a finite number", value),
        }
        : null;

    public bool? Flag(string key) => _values.TryGetValue(key, out object? value) ? value as bool? ?? throw Wrong(key, "true or false", value) : null;

    public string? Text(string key) => _values.TryGetValue(key, out object? value) ? value as string ?? throw Wrong(key, "text", value) : null;

    public IReadOnlyList<string>? Texts(string key) =>
        _values.TryGetValue(key, out object? value) ? value as string[] ?? throw Wrong(key, "a list of texts", value) : null;

    public IReadOnlyList<float>? Numbers(string key) =>
        _values.TryGetValue(key, out object? value) ? value as float[] ?? throw Wrong(key, "a list of float32 numbers", value) : null;

    public IReadOnlyList<int>? Ints(string key)
    {
        if (!_values.TryGetValue(key, out object? value))
            return null;
        // int[] and uint[] are convertible to each other at run time, so the element type is asked for, not the array
        Type? element = value.GetType().GetElementType();
        if (element == typeof(int))
            return (int[])value;
        if (element is null || !element.IsPrimitive || element == typeof(bool) || element == typeof(float) || element == typeof(double))
            throw Wrong(key, "a list of whole numbers", value);
        Array items = (Array)value;
        int[] numbers = new int[items.Length];
        for (int i = 0; i < numbers.Length; i++)
            numbers[i] = ToInt(key, items.GetValue(i)!);
        return numbers;
    }

    private int ToInt(string key, object value)
    {
        Int128? number = value switch
        {
            byte v => v,
            sbyte v => v,
            ushort v => v,
            short v => v,
            uint v => v,
            int v => v,
            ulong v => v,
            long v => v,
            _ => null,
        };
        return number >= int.MinValue && number <= int.MaxValue ? (int)number : throw Wrong(key, "a whole number below 2^31", value);
    }

    private BadInputException Wrong(string key, string expected, object value)
    {
        string found = value switch
        {
            string text => $"the text '{JsonInput.Short(text)}'",
            Array list => $"a list of {list.Length} x {list.GetType().GetElementType()!.Name}",
            _ => $"{value.GetType().Name} {value}",
        };
        return new($"{_place}: the metadata key '{key}' must be {expected}, not {found}");
    }
}
