using System.Text;
using Paddock.Engine;

namespace Paddock.Data.Formats;

/// <summary>Turns rows into records; a file with any bad row is refused as a whole, with all that is wrong in one message.</summary>
internal static class RowReader
{
    /// <summary>Problems spelled out; the rest is counted.</summary>
    public const int MostProblems = 20;

    /// <summary>
    /// Records in order, as they are read. After the first bad row no more are given: the rest of the file is read for its problems and
    /// one <see cref="BadInputException"/> lists them.
    /// </summary>
    /// <param name="parse">Notes problems on the row and may then return anything.</param>
    public static IEnumerable<T> Read<T>(string path, Func<Row, T> parse) => ReadPlaced(path, parse).Select(row => row.Value);

    /// <summary>As <see cref="Read"/>, with where each row stands: file and line, or file and index.</summary>
    public static IEnumerable<(string Place, T Value)> ReadPlaced<T>(string path, Func<Row, T> parse)
    {
        List<string> listed = [];
        long rows = 0, bad = 0, problems = 0;
        using IEnumerator<Row> source = Guard(path, () => RowSource.Read(path).GetEnumerator());
        while (Guard(path, source.MoveNext))
        {
            Row row = source.Current;
            rows++;
            T? value = !row.IsBroken && row.IsObject ? parse(row) : default;
            if (row.IsBroken)
            {
                bad++;
                foreach (string problem in row.Problems)
                    if (problems++ < MostProblems)
                        listed.Add(problem);
            }
            else if (bad == 0)
                yield return (row.Where, value!);
        }
        if (bad > 0)
            throw new BadInputException(Message(path, rows, bad, problems, listed));
    }

    private static string Message(string path, long rows, long bad, long problems, List<string> listed)
    {
        StringBuilder text = new($"{path}: {bad} of {rows} rows cannot be used:");
        foreach (string problem in listed)
            text.Append("\n  ").Append(problem);
        if (problems > listed.Count)
            text.Append($"\n  and {problems - listed.Count} more");
        return text.ToString();
    }

    private static T Guard<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (InvalidDataException e)
        {
            throw new BadInputException($"{path}: cannot be read: {e.Message}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException($"{path}: {e.Message}", e);
        }
    }
}
