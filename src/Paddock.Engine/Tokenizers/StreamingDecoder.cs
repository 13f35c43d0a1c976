using System.Text;

namespace Paddock.Engine.Tokenizers;

/// <summary>
/// Decodes ids one by one as they are sampled, without ever showing half a character: text that ends in an incomplete (or invalid)
/// character is held back until a later id completes it. One per stream; not thread-safe.
/// </summary>
public sealed class StreamingDecoder(Tokenizer tokenizer, bool skipSpecialTokens = true)
{
    private readonly List<byte> _held = [];
    private bool _started;

    /// <summary>The text that became complete with this id, or null when there is none yet.</summary>
    public string? Push(int id)
    {
        if (!tokenizer.AppendBytes(id, skipSpecialTokens, !_started, _held))
            return null;
        _started = true;
        ReadOnlySpan<byte> bytes = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_held);
        bool complete = Rune.DecodeLastFromUtf8(bytes, out Rune last, out _) == System.Buffers.OperationStatus.Done && last != Rune.ReplacementChar;
        return complete ? Flush() : null;
    }

    /// <summary>What is still held back, with U+FFFD for what no id completed; empty when nothing is. For the end of a stream.</summary>
    public string Flush()
    {
        string text = Encoding.UTF8.GetString(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_held));
        _held.Clear();
        return text;
    }
}
