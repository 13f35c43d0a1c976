using System.Text;

namespace Paddock.Engine.Tokenizers;

/// <summary>Turns token strings into the bytes they stand for, and says what stands between two tokens.</summary>
internal abstract class Decoder
{
    public abstract byte[] Bytes(string token);

    public abstract ReadOnlySpan<byte> Separator { get; }
}

/// <summary>Tokens spell bytes; one with a character outside the byte alphabet (an added token) stands for its own UTF-8.</summary>
internal sealed class ByteLevelDecoder : Decoder
{
    public override byte[] Bytes(string token) => ByteAlphabet.TryDecode(token) ?? Encoding.UTF8.GetBytes(token);

    public override ReadOnlySpan<byte> Separator => [];
}

/// <summary>What a tokenizer.json without a decoder means: the tokens joined by spaces.</summary>
internal sealed class SpaceDecoder : Decoder
{
    public override byte[] Bytes(string token) => Encoding.UTF8.GetBytes(token);

    public override ReadOnlySpan<byte> Separator => " "u8;
}
