namespace Paddock.Engine.Tokenizers;

/// <summary>
/// GPT-2's spelling of bytes as visible characters: printable Latin-1 stands for itself, the 68 others are U+0100 onwards in byte order.
/// </summary>
internal static class ByteAlphabet
{
    private const int Last = 0x143;

    private static readonly char[] Chars = new char[256];
    private static readonly short[] Bytes = new short[Last + 1];

    static ByteAlphabet()
    {
        Array.Fill(Bytes, (short)-1);
        int next = 0x100;
        for (int b = 0; b < 256; b++)
        {
            bool visible = b is >= 0x21 and <= 0x7E or >= 0xA1 and <= 0xAC or >= 0xAE;
            Chars[b] = visible ? (char)b : (char)next++;
            Bytes[Chars[b]] = (short)b;
        }
    }

    public static char ToChar(byte value) => Chars[value];

    /// <summary>The byte a character stands for; false when it is not of the alphabet.</summary>
    public static bool TryToByte(char c, out byte value)
    {
        short b = c <= Last ? Bytes[c] : (short)-1;
        value = (byte)b;
        return b >= 0;
    }

    /// <summary>The bytes a token spells, or null when one of its characters is not of the alphabet.</summary>
    public static byte[]? TryDecode(string token)
    {
        byte[] bytes = new byte[token.Length];
        for (int i = 0; i < token.Length; i++)
            if (!TryToByte(token[i], out bytes[i]))
                return null;
        return bytes;
    }

    /// <summary>Spells bytes; <paramref name="chars"/> must be at least as long.</summary>
    public static void Encode(ReadOnlySpan<byte> bytes, Span<char> chars)
    {
        for (int i = 0; i < bytes.Length; i++)
            chars[i] = Chars[bytes[i]];
    }
}
