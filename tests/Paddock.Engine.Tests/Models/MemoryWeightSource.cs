using Paddock.Engine.Checkpoints;
using Paddock.Engine.Models;

namespace Paddock.Engine.Tests.Models;

/// <summary>A weight source made of arrays, for tests that change a checkpoint.</summary>
internal sealed class MemoryWeightSource : IWeightSource
{
    private readonly Dictionary<string, float[]> _values = [];
    private readonly Dictionary<string, TensorInfo> _tensors = [];

    public string Place => "memory";

    public IReadOnlyDictionary<string, TensorInfo> Tensors => _tensors;

    public static MemoryWeightSource Of(IEnumerable<ExportTensor> tensors)
    {
        MemoryWeightSource source = new();
        foreach (ExportTensor tensor in tensors)
        {
            float[] values = new float[tensor.Count];
            tensor.Fill(values);
            source.Set(tensor.Name, tensor.Shape, values);
        }
        return source;
    }

    public void Set(string name, int[] shape, float[] values)
    {
        _values[name] = values;
        _tensors[name] = new(name, TensorFormat.Float32, shape);
    }

    public void Remove(string name)
    {
        _values.Remove(name);
        _tensors.Remove(name);
    }

    public void Rename(string name, string to)
    {
        Set(to, [.. _tensors[name].Shape], _values[name]);
        Remove(name);
    }

    public float[] Values(string name) => _values[name];

    public void Read(string name, Span<float> destination) => _values[name].CopyTo(destination);

    public ReadOnlySpan<byte> Raw(string name) => [];

    public void Dispose() { }
}
