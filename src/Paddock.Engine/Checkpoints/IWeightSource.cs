namespace Paddock.Engine.Checkpoints;

/// <summary>How a tensor's numbers are stored in a file. Block formats hold 32 values a block, those with K 256.</summary>
public enum TensorFormat { Float32, Float16, BFloat16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K, Q6_K }

/// <summary>A tensor of a checkpoint under its Hugging Face name, outermost dimension first.</summary>
public sealed record TensorInfo(string Name, TensorFormat Format, IReadOnlyList<int> Shape)
{
    /// <summary>Number of values; the product has been checked not to overflow.</summary>
    public long Count
    {
        get
        {
            long count = 1;
            foreach (int dimension in Shape)
                count = checked(count * dimension);
            return count;
        }
    }
}

/// <summary>
/// The tensors of a checkpoint, whatever the file: one safetensors file, shards with an index, or a GGUF (whose names and rotary
/// layout are already turned into Hugging Face's). Everything has been validated on opening.
/// </summary>
public interface IWeightSource : IDisposable
{
    /// <summary>Where the tensors come from, for messages.</summary>
    string Place { get; }

    IReadOnlyDictionary<string, TensorInfo> Tensors { get; }

    /// <summary>Reads one tensor, widened to float32, into <paramref name="destination"/>, which has exactly its count.</summary>
    void Read(string name, Span<float> destination);

    /// <summary>The stored bytes of one tensor when rows can be used as they lie (no permutation); empty when they cannot.</summary>
    ReadOnlySpan<byte> Raw(string name);
}
