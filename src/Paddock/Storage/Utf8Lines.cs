namespace Paddock.Storage;

/// <summary>Splits a stream of UTF-8 text at line feeds without decoding it.</summary>
internal static class Utf8Lines
{
    /// <summary>
    /// Lines without their line feed, in order; each is valid until the next is asked for. What follows the last line feed is given only
    /// with <paramref name="withTail"/>. Throws <see cref="InvalidDataException"/> for a line longer than <paramref name="longest"/> bytes.
    /// </summary>
    public static IEnumerable<ReadOnlyMemory<byte>> Read(Stream stream, bool withTail, int longest = int.MaxValue / 2)
    {
        byte[] buffer = new byte[1 << 16];
        int start = 0, end = 0, searched = 0;
        while (true)
        {
            int newline = buffer.AsSpan(searched, end - searched).IndexOf((byte)'\n');
            if (newline >= 0)
            {
                yield return buffer.AsMemory(start, searched + newline - start);
                start = searched = searched + newline + 1;
                continue;
            }
            if (start > 0)
            {
                buffer.AsSpan(start, end - start).CopyTo(buffer);
                (end, start) = (end - start, 0);
            }
            searched = end;
            if (end > longest)
                throw new InvalidDataException($"a line is longer than {longest >> 20} MiB");
            if (end == buffer.Length)
                Array.Resize(ref buffer, checked(buffer.Length * 2));
            int read = stream.Read(buffer, end, buffer.Length - end);
            if (read == 0)
            {
                if (withTail && end > 0)
                    yield return buffer.AsMemory(0, end);
                yield break;
            }
            end += read;
        }
    }
}
