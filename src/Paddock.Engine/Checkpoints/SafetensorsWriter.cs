using System.Buffers.Binary;
using System.Text.Json;
using Paddock.Engine.Models;

namespace Paddock.Engine.Checkpoints;

/// <summary>
/// Writes one safetensors file. The same tensors give the same bytes: they are ordered by name, the header is padded with spaces to a
/// multiple of 8. The file appears whole or not at all.
/// </summary>
public static class SafetensorsWriter
{
    private const int PieceValues = 1 << 18;

    /// <param name="format">Float32, or Float16 or BFloat16 (rounded to nearest, ties to even).</param>
    public static void Write(string path, IEnumerable<ExportTensor> tensors, TensorFormat format)
    {
        List<ExportTensor> ordered = [.. tensors];
        ordered.Sort((a, b) => string.CompareOrdinal(a.Name, b.Name));
        int size = FloatFormats.Size(format), largest = 0;
        for (int i = 0; i < ordered.Count; i++)
        {
            largest = Math.Max(largest, ordered[i].Count);
            if (i > 0 && ordered[i].Name == ordered[i - 1].Name)
                throw new ArgumentException($"the tensor '{ordered[i].Name}' is given twice", nameof(tensors));
        }
        byte[] header = Header(ordered, format, size);
        WholeFile.Write(path, file =>
        {
            Span<byte> length = stackalloc byte[8];
            BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)header.Length);
            file.Write(length);
            file.Write(header);
            float[] values = new float[largest];
            byte[] bytes = new byte[Math.Min(largest, PieceValues) * size];
            foreach (ExportTensor tensor in ordered)
            {
                tensor.Fill(values.AsSpan(0, tensor.Count));
                for (int done = 0; done < tensor.Count; done += PieceValues)
                {
                    ReadOnlySpan<float> piece = values.AsSpan(done, Math.Min(PieceValues, tensor.Count - done));
                    Span<byte> narrow = bytes.AsSpan(0, piece.Length * size);
                    FloatFormats.Narrow(format, piece, narrow);
                    file.Write(narrow);
                }
            }
        });
    }

    private static byte[] Header(List<ExportTensor> tensors, TensorFormat format, int size)
    {
        string dtype = format switch
        {
            TensorFormat.Float32 => "F32",
            TensorFormat.Float16 => "F16",
            _ => "BF16",
        };
        using MemoryStream json = new();
        using (Utf8JsonWriter writer = new(json))
        {
            writer.WriteStartObject();
            writer.WriteStartObject("__metadata__");
            writer.WriteString("format", "pt"); // transformers refuses a file that does not say which framework's layout it has
            writer.WriteEndObject();
            long offset = 0;
            foreach (ExportTensor tensor in tensors)
            {
                writer.WriteStartObject(tensor.Name);
                writer.WriteString("dtype", dtype);
                writer.WriteStartArray("shape");
                foreach (int dimension in tensor.Shape)
                    writer.WriteNumberValue(dimension);
                writer.WriteEndArray();
                writer.WriteStartArray("data_offsets");
                writer.WriteNumberValue(offset);
                offset += (long)tensor.Count * size;
                writer.WriteNumberValue(offset);
                writer.WriteEndArray();
                writer.WriteEndObject();
            }
            writer.WriteEndObject();
        }
        while (json.Length % 8 != 0)
            json.WriteByte((byte)' ');
        return json.ToArray();
    }
}
