using System.Globalization;
using System.Text;
using Paddock.Data.Formats;
using Paddock.Engine;

namespace Paddock.Evaluation.Benchmarks;

/// <summary>AlpacaEval's leaderboard as it stands in its repository: a CSV whose first column is the model and has no name.</summary>
public static class AlpacaEvalLeaderboard
{
    private static readonly string[] Columns =
        ["win_rate", "standard_error", "n_wins", "n_wins_base", "n_draws", "n_total", "discrete_win_rate", "mode", "avg_length", "length_controlled_winrate", "lc_standard_error"];

    public static IReadOnlyList<AlpacaEvalRow> Read(string path)
    {
        CsvTable table = CsvTable.Read(path);
        int[] at = [.. Columns.Select(table.Column)];
        List<AlpacaEvalRow> rows = [];
        for (int row = 0; row < table.Count; row++)
        {
            string mode = table.Text(row, at[7]);
            rows.Add(new(table.Text(row, 0), table.Number(row, at[0]), table.OptionalNumber(row, at[1]), Whole(row, 2), Whole(row, 3), Whole(row, 4), Whole(row, 5), table.Number(row, at[6]),
                mode.Length > 0 ? mode : null, Whole(row, 8), table.OptionalNumber(row, at[9]), table.OptionalNumber(row, at[10])));
        }
        return rows;

        int Whole(int row, int column) => (int)Math.Clamp(table.OptionalNumber(row, at[column]) ?? 0, int.MinValue, int.MaxValue);
    }

    /// <summary>Rows sorted by length-controlled rate, then by raw rate, as the leaderboard is.</summary>
    public static IReadOnlyList<AlpacaEvalRow> Sorted(IEnumerable<AlpacaEvalRow> rows) =>
        [.. rows.OrderByDescending(row => row.LengthControlledWinrate ?? double.NegativeInfinity).ThenByDescending(row => row.WinRate).ThenBy(row => row.Name, StringComparer.Ordinal)];

    /// <summary>Rows with those of the same name replaced, a mode that only the old row knows kept.</summary>
    public static IReadOnlyList<AlpacaEvalRow> Merged(IReadOnlyList<AlpacaEvalRow> known, IReadOnlyList<AlpacaEvalRow> added)
    {
        Dictionary<string, AlpacaEvalRow> rows = new(StringComparer.Ordinal);
        foreach (AlpacaEvalRow row in known)
            rows[row.Name] = row;
        foreach (AlpacaEvalRow row in added)
            rows[row.Name] = row with { Mode = row.Mode ?? rows.GetValueOrDefault(row.Name)?.Mode };
        return Sorted(rows.Values);
    }

    /// <summary>Writes the rows in order, numbers to their last digit.</summary>
    public static void Write(string path, IReadOnlyList<AlpacaEvalRow> rows)
    {
        StringBuilder text = new();
        foreach (string column in Columns)
            text.Append(',').Append(column);
        text.Append('\n');
        foreach (AlpacaEvalRow row in rows)
            text.AppendJoin(',', CsvTable.Quoted(row.Name), Number(row.WinRate), Number(row.StandardError), row.NWins, row.NWinsBase, row.NDraws, row.NTotal, Number(row.DiscreteWinRate),
                CsvTable.Quoted(row.Mode ?? "community"), row.AvgLength, Number(row.LengthControlledWinrate), Number(row.LcStandardError)).Append('\n');
        WholeFile.WriteText(path, text.ToString());
    }

    private static string Number(double? value) => value?.ToString("R", CultureInfo.InvariantCulture) ?? "";
}
