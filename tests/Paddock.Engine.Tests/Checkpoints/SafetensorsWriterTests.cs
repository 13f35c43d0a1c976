using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using Paddock.Engine.Checkpoints;
using Paddock.Engine.Models;
using Paddock.Engine.Numerics;
using Paddock.Tests.Shared;

namespace Paddock.Engine.Tests.Checkpoints;

public sealed class SafetensorsWriterTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void What_is_written_in_float32_comes_back_bit_for_bit()
    {
        float[] values = [1.5f, -0f, float.Epsilon, float.MaxValue, float.NegativeInfinity, float.NaN];
        SafetensorsWriter.Write(_folder["m.safetensors"], [Tensor("a", [2, 3], values), Tensor("scalar", [], [7f]), Tensor("empty", [0, 4], [])], TensorFormat.Float32);
        using SafetensorsFile file = SafetensorsFile.Open(_folder["m.safetensors"]);
        Assert.Equal(["a", "empty", "scalar"], file.Tensors.Keys.Order());
        Assert.Equal([2, 3], file.Tensors["a"].Shape);
        float[] back = new float[6];
        file.Read("a", back);
        Assert.Equal(values.Select(BitConverter.SingleToUInt32Bits), back.Select(BitConverter.SingleToUInt32Bits));
        Assert.Equal(24, file.Raw("a").Length);
        float[] one = new float[1];
        file.Read("scalar", one);
        Assert.Equal([7f], one);
        file.Read("empty", []);
    }

    [Theory]
    [InlineData(TensorFormat.Float16, 0.1f, 0.0999755859375f)]
    [InlineData(TensorFormat.BFloat16, 0.1f, 0.10009765625f)]
    [InlineData(TensorFormat.BFloat16, 1.00390625f, 1f)]
    public void Narrow_formats_round_to_nearest_even(TensorFormat format, float value, float expected)
    {
        // longer than one piece, so that the seams are crossed
        float[] values = new float[(1 << 18) + 5];
        Array.Fill(values, value);
        SafetensorsWriter.Write(_folder["m.safetensors"], [Tensor("a", [values.Length], values)], format);
        using SafetensorsFile file = SafetensorsFile.Open(_folder["m.safetensors"]);
        Assert.Equal(format, file.Tensors["a"].Format);
        file.Read("a", values);
        Assert.True(values.AsSpan().IndexOfAnyExcept(expected) < 0);
    }

    [Fact]
    public void The_bytes_do_not_depend_on_the_order_and_the_header_is_aligned()
    {
        ExportTensor[] tensors = [Tensor("b.weight", [3], [1, 2, 3]), Tensor("a.weight", [1], [4]), Tensor("a.bias", [2], [5, 6])];
        SafetensorsWriter.Write(_folder["one"], tensors, TensorFormat.Float32);
        SafetensorsWriter.Write(_folder["two"], [tensors[2], tensors[0], tensors[1]], TensorFormat.Float32);
        byte[] bytes = File.ReadAllBytes(_folder["one"]);
        Assert.Equal(bytes, File.ReadAllBytes(_folder["two"]));
        int header = (int)BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        Assert.Equal(0, header % 8);
        JsonElement json = JsonDocument.Parse(Encoding.UTF8.GetString(bytes, 8, header)).RootElement;
        Assert.Equal(["__metadata__", "a.bias", "a.weight", "b.weight"], json.EnumerateObject().Select(p => p.Name));
        Assert.Equal("pt", json.GetProperty("__metadata__").GetProperty("format").GetString());
        Assert.Equal(6 * 4, bytes.Length - 8 - header);
    }

    [Fact]
    public void A_failure_leaves_the_old_file_and_nothing_else()
    {
        File.WriteAllText(_folder["m.safetensors"], "old");
        ExportTensor failing = new("b", [1], _ => throw new InvalidOperationException("no"));
        Assert.Throws<InvalidOperationException>(() => SafetensorsWriter.Write(_folder["m.safetensors"], [Tensor("a", [1], [1]), failing], TensorFormat.Float32));
        Assert.Equal("old", File.ReadAllText(_folder["m.safetensors"]));
        Assert.Single(Directory.GetFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void Two_tensors_of_one_name_are_refused() =>
        Assert.Throws<ArgumentException>(() => SafetensorsWriter.Write(_folder["m"], [Tensor("a", [1], [1]), Tensor("a", [1], [1])], TensorFormat.Float32));

    [Fact]
    public void Shards_equal_a_single_file()
    {
        RandomStream stream = new(1, "shards");
        ExportTensor[] tensors = [.. Enumerable.Range(0, 5).Select(i => Tensor($"t{i}", [i + 1, 7], [.. Enumerable.Range(0, 7 * (i + 1)).Select(_ => (float)stream.NextGaussian())]))];
        SafetensorsWriter.Write(_folder["single.safetensors"], tensors, TensorFormat.BFloat16);
        SafetensorsWriter.Write(_folder["s1.safetensors"], tensors[..2], TensorFormat.BFloat16);
        SafetensorsWriter.Write(_folder["s2.safetensors"], tensors[2..], TensorFormat.BFloat16);
        string map = string.Join(",", tensors.Select((tensor, i) => $"\"{tensor.Name}\": \"s{(i < 2 ? 1 : 2)}.safetensors\""));
        string index = _folder.Write("model.safetensors.index.json", $$"""{"metadata": {"total_size": 1}, "weight_map": { {{map}} } }""");
        using SafetensorsShards shards = SafetensorsShards.Open(index);
        using SafetensorsFile single = SafetensorsFile.Open(_folder["single.safetensors"]);
        AssertSame(single, shards);
    }

    [SharedFact]
    public void Published_shards_survive_being_written_as_one_file()
    {
        using SafetensorsShards shards = SafetensorsShards.Open(SharedFolder.Get("golden", "hf", "llama_sharded", "model.safetensors.index.json"));
        Assert.Equal(21, shards.Tensors.Count);
        SafetensorsWriter.Write(_folder["m"], shards.Tensors.Values.Select(info => new ExportTensor(info.Name, [.. info.Shape], to => shards.Read(info.Name, to))), TensorFormat.Float32);
        using SafetensorsFile single = SafetensorsFile.Open(_folder["m"]);
        AssertSame(single, shards);
    }

    [SharedTheory]
    [InlineData("llama_bf16", TensorFormat.BFloat16)]
    [InlineData("llama_fp16", TensorFormat.Float16)]
    public void Published_16_bit_weights_narrow_back_to_the_stored_bytes(string family, TensorFormat format)
    {
        using SafetensorsFile file = SafetensorsFile.Open(SharedFolder.Get("golden", "hf", family, "model.safetensors"));
        foreach (TensorInfo tensor in file.Tensors.Values)
        {
            Assert.Equal(format, tensor.Format);
            float[] values = new float[tensor.Count];
            byte[] narrow = new byte[2 * tensor.Count];
            file.Read(tensor.Name, values);
            FloatFormats.Narrow(format, values, narrow);
            Assert.True(file.Raw(tensor.Name).SequenceEqual(narrow), tensor.Name);
        }
    }

    public void Dispose() => _folder.Dispose();

    internal static ExportTensor Tensor(string name, int[] shape, float[] values) => new(name, shape, to => values.CopyTo(to));

    private static void AssertSame(SafetensorsFile expected, SafetensorsShards actual)
    {
        Assert.Equal(expected.Tensors.Keys.Order(), actual.Tensors.Keys.Order());
        foreach (TensorInfo tensor in expected.Tensors.Values)
        {
            Assert.Equal(tensor.Shape, actual.Tensors[tensor.Name].Shape);
            float[] a = new float[tensor.Count], b = new float[tensor.Count];
            expected.Read(tensor.Name, a);
            actual.Read(tensor.Name, b);
            Assert.Equal(a, b);
            Assert.True(expected.Raw(tensor.Name).SequenceEqual(actual.Raw(tensor.Name)));
        }
    }
}
