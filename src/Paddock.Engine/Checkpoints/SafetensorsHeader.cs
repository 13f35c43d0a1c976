using System.Text.Json;

namespace Paddock.Engine.Checkpoints;

/// <summary>The parsed and validated header of one safetensors file.</summary>
internal sealed class SafetensorsHeader
{
    private readonly Dictionary<string, long> _begins = [];

    /// <param name="dataBytes">Bytes of the file after the header.</param>
    public SafetensorsHeader(string place, long dataBytes, JsonElement root)
    {
        List<(long Begin, long End, string Name)> ranges = [];
        foreach (JsonProperty property in root.EnumerateObject())
        {
            if (property.Name == "__metadata__")
                continue;
            string where = $"{place}: tensor '{JsonInput.Short(property.Name)}'";
            if (property.Value.ValueKind != JsonValueKind.Object)
                throw new BadInputException($"{where} must be an object, not {JsonInput.Kind(property.Value)}");
            string dtype = new JsonKeys(property.Value, where).Text("dtype") ?? throw new BadInputException($"{where}: key 'dtype' is missing");
            int[] shape = Shape(property.Value, where);
            (long begin, long end) = Offsets(property.Value, where);
            if (end > dataBytes)
                throw new BadInputException($"{where} ends at byte {end} of {dataBytes} bytes of data; the file is cut short or damaged");
            TensorFormat? format = Format(dtype, where, out int size);
            Int128 expected = (Int128)Product(shape, where) * size;
            if (expected != end - begin)
                throw new BadInputException($"{where}: {dtype} [{string.Join(", ", shape)}] needs {expected} bytes but has {end - begin}");
            if (format is TensorFormat known)
                Tensors.Add(property.Name, new(property.Name, known, shape));
            _begins.Add(property.Name, begin);
            ranges.Add((begin, end, property.Name));
        }
        RequireNoHoles(place, ranges, dataBytes);
    }

    /// <summary>The tensors of floating point numbers.</summary>
    public Dictionary<string, TensorInfo> Tensors { get; } = [];

    /// <summary>Of every tensor, the others too.</summary>
    public Dictionary<string, long> OffsetsInFile(long dataStart)
    {
        Dictionary<string, long> offsets = new(_begins.Count);
        foreach ((string name, long begin) in _begins)
            offsets.Add(name, dataStart + begin);
        return offsets;
    }

    /// <summary>Null for whole numbers and booleans, which no supported model computes with.</summary>
    private static TensorFormat? Format(string dtype, string where, out int size)
    {
        (size, TensorFormat? format) = dtype switch
        {
            "F32" => (4, TensorFormat.Float32),
            "F16" => (2, TensorFormat.Float16),
            "BF16" => (2, TensorFormat.BFloat16),
            "BOOL" or "U8" or "I8" => (1, null),
            "U16" or "I16" => (2, null),
            "U32" or "I32" => (4, null),
            "U64" or "I64" => (8, (TensorFormat?)null),
            _ => throw new BadInputException($"{where} is stored as '{JsonInput.Short(dtype)}'; F32, F16 and BF16 can be read, so convert the checkpoint"),
        };
        return format;
    }

    private static int[] Shape(JsonElement tensor, string where)
    {
        if (!tensor.TryGetProperty("shape", out JsonElement shape) || shape.ValueKind != JsonValueKind.Array)
            throw new BadInputException($"{where}: key 'shape' must be a list of sizes");
        int[] sizes = new int[shape.GetArrayLength()];
        int rank = 0;
        foreach (JsonElement size in shape.EnumerateArray())
            sizes[rank++] = size.ValueKind == JsonValueKind.Number && size.TryGetInt32(out int value) && value >= 0
                ? value
                : throw new BadInputException($"{where}: a size in 'shape' must be a whole number from 0 to 2^31 - 1, not {JsonInput.Kind(size)}");
        return sizes;
    }

    private static (long Begin, long End) Offsets(JsonElement tensor, string where)
    {
        if (!tensor.TryGetProperty("data_offsets", out JsonElement offsets) || offsets.ValueKind != JsonValueKind.Array || offsets.GetArrayLength() != 2)
            throw new BadInputException($"{where}: key 'data_offsets' must be a list of two byte offsets");
        long begin = Offset(offsets[0]), end = Offset(offsets[1]);
        return begin <= end ? (begin, end) : throw new BadInputException($"{where}: 'data_offsets' begin at {begin} and end before it, at {end}");

        long Offset(JsonElement value) => value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long offset) && offset >= 0
            ? offset
            : throw new BadInputException($"{where}: 'data_offsets' must be whole numbers of 0 or more, not {JsonInput.Kind(value)}");
    }

    private static long Product(int[] shape, string where)
    {
        // the running product is checked even when a later size is zero, because TensorInfo.Count multiplies in the same order
        long product = 1;
        foreach (int size in shape)
        {
            Int128 next = (Int128)product * size;
            product = next <= long.MaxValue ? (long)next : throw new BadInputException($"{where}: the product of the sizes in 'shape' exceeds 2^63");
        }
        return product;
    }

    private static void RequireNoHoles(string place, List<(long Begin, long End, string Name)> ranges, long dataBytes)
    {
        ranges.Sort((a, b) => a.Begin != b.Begin ? a.Begin.CompareTo(b.Begin) : a.End.CompareTo(b.End));
        long end = 0;
        foreach ((long begin, long next, string name) in ranges)
        {
            if (begin != end)
                throw new BadInputException($"{place}: tensor '{JsonInput.Short(name)}' begins at byte {begin} of the data where {end} was expected; tensors must follow each other without overlap or hole");
            end = next;
        }
        if (end != dataBytes)
            throw new BadInputException($"{place}: the tensors end at byte {end} of the data but the file has {dataBytes}; the file is damaged");
    }
}
