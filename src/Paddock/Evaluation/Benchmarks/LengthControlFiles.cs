using System.Text.Json;
using Paddock.Data.Formats;
using Paddock.Engine;

namespace Paddock.Evaluation.Benchmarks;

/// <summary>Difficulties of instructions: a distribution (values with masses that sum to 1), or one value per instruction in a fixed order.</summary>
/// <param name="PerInstruction">Whether value i belongs to instruction i; each then has mass 1/n.</param>
public sealed record InstructionDifficulty(double[] Values, double[] Masses, bool PerInstruction);

/// <summary>The files that AlpacaEval's length control lives in.</summary>
public static class LengthControlFiles
{
    private const string LengthColumn = "np.tanh(std_delta_len)", DifficultyColumn = "instruction_difficulty", SystemColumn = "not_gamed_baseline.astype(float)";

    /// <summary>Published coefficients by model, AlpacaEval's CSV; where a model stands twice the last row counts, as there.</summary>
    public static IReadOnlyDictionary<string, LengthControlWeights> ReadWeights(string path)
    {
        CsvTable table = CsvTable.Read(path);
        int length = table.Column(LengthColumn), difficulty = table.Column(DifficultyColumn), system = table.Column(SystemColumn);
        Dictionary<string, LengthControlWeights> weights = new(StringComparer.Ordinal);
        for (int row = 0; row < table.Count; row++)
            weights[table.Text(row, 0)] = new(table.Number(row, length), table.Number(row, difficulty), table.Number(row, system));
        return weights;
    }

    /// <summary>
    /// Difficulties: columns <c>node</c> and <c>weight</c> for a distribution, or a whole <c>index</c> column that counts from 0 and one column of values.
    /// </summary>
    public static InstructionDifficulty ReadDifficulty(string path)
    {
        CsvTable table = CsvTable.Read(path);
        if (table.Count < 1)
            throw new BadInputException($"{path}: no rows below the header");
        double[] values = new double[table.Count], masses = new double[table.Count];
        if (table.Has("node") && table.Has("weight"))
        {
            int node = table.Column("node"), weight = table.Column("weight");
            for (int row = 0; row < values.Length; row++)
                (values[row], masses[row]) = (table.Number(row, node), table.Number(row, weight));
            if (masses.Any(mass => mass < 0) || Math.Abs(masses.Sum() - 1) > 1e-6)
                throw new BadInputException($"{path}: weight: expected masses of 0 or more that sum to 1, not to {masses.Sum()}");
            return new(values, masses, false);
        }
        if (!table.Has("index") || table.Header.Count != 2)
            throw new BadInputException($"{path}:1: expected the columns node and weight, or index and one column of difficulties");
        int index = table.Column("index");
        for (int row = 0; row < values.Length; row++)
        {
            if (table.Number(row, index) != row)
                throw new BadInputException($"{path}: row {row}: index: expected {row}; rows are in the order of the instructions, none left out");
            values[row] = table.Number(row, 1 - index);
        }
        Array.Fill(masses, 1.0 / values.Length);
        return new(values, masses, true);
    }

    /// <summary>
    /// The difficulty of each annotated instruction, joined by its text; NaN where the instruction is not of the set.
    /// </summary>
    /// <param name="instructions">Texts in the order of the difficulties.</param>
    public static double[] Join(InstructionDifficulty difficulty, IReadOnlyList<string> instructions, IReadOnlyList<AlpacaEvalAnnotation> annotations) =>
        Join(difficulty, instructions, annotations.Select(row => row.Instruction));

    /// <summary>
    /// The difficulty that stands at the position of each row, as AlpacaEval joins them. Right only where all instructions are there in the
    /// same order: a file with rows left out gets the difficulties of other instructions, which is how such files' published rates were made.
    /// </summary>
    public static double[] ByPosition(InstructionDifficulty difficulty, int rows) =>
        !difficulty.PerInstruction ? throw new BadInputException("a refit needs one difficulty per instruction (columns index and a value); a distribution (node, weight) serves published weights only")
        : rows > difficulty.Values.Length ? throw new BadInputException($"there are {difficulty.Values.Length} difficulties for {rows} rows")
        : difficulty.Values[..rows];

    /// <summary>Length and difficulty features of the baseline's gamed outputs, with the two sums their labels come down to.</summary>
    /// <param name="gamed">The outputs of each gamed prompt of the baseline, one list each.</param>
    /// <param name="sums">JSON with a field that starts with <c>B_t</c> and one with <c>B_d</c>.</param>
    public static GamedRows ReadGamed(IReadOnlyList<string> gamed, string sums, InstructionDifficulty difficulty, IReadOnlyList<ModelOutput> baseline)
    {
        List<double> lengths = [], difficulties = [];
        string[] instructions = [.. baseline.Select(row => row.Instruction)];
        foreach (string path in gamed)
        {
            Dictionary<string, ModelOutput> outputs = new(StringComparer.Ordinal);
            foreach (ModelOutput row in AlpacaEvalOutputFormat.Read(path))
                outputs[row.Instruction] = row;
            ModelOutput[] shared = [.. baseline.Where(row => outputs.ContainsKey(row.Instruction))];
            if (shared.Length < 2)
                throw new BadInputException($"{path}: shares {shared.Length} instructions with the baseline's outputs; expected the same set");
            lengths.AddRange(LengthControl.LengthFeature([.. shared.Select(row => (double)(TextLength.CodePoints(row.Output) - TextLength.CodePoints(outputs[row.Instruction].Output)))]));
            difficulties.AddRange(Join(difficulty, instructions, shared.Select(row => row.Instruction)));
        }
        (double lengthSum, double difficultySum) = ReadSums(sums);
        return new([.. lengths], [.. difficulties], lengthSum, difficultySum);
    }

    private static double[] Join(InstructionDifficulty difficulty, IReadOnlyList<string> instructions, IEnumerable<string> wanted)
    {
        if (!difficulty.PerInstruction)
            throw new BadInputException("a refit needs one difficulty per instruction (columns index and a value); a distribution (node, weight) serves published weights only");
        if (instructions.Count != difficulty.Values.Length)
            throw new BadInputException($"there are {difficulty.Values.Length} difficulties for {instructions.Count} instructions; give the outputs file whose order they follow");
        Dictionary<string, double> known = new(StringComparer.Ordinal);
        for (int i = 0; i < instructions.Count; i++)
            known[instructions[i]] = difficulty.Values[i];
        return [.. wanted.Select(instruction => known.GetValueOrDefault(instruction, double.NaN))];
    }

    private static (double Length, double Difficulty) ReadSums(string path)
    {
        double? length = null, difficulty = null;
        foreach (Row row in RowSource.Read(path))
        {
            if (row.IsBroken || !row.IsObject)
                throw new BadInputException(row.Problems[0]);
            foreach (JsonProperty field in row.Json.EnumerateObject())
                if (field.Value.ValueKind == JsonValueKind.Number && field.Value.TryGetDouble(out double value) && double.IsFinite(value))
                {
                    length = field.Name.StartsWith("B_t", StringComparison.Ordinal) ? value : length;
                    difficulty = field.Name.StartsWith("B_d", StringComparison.Ordinal) ? value : difficulty;
                }
        }
        return length is { } t && difficulty is { } d ? (t, d) : throw new BadInputException($"{path}: expected a JSON object with numbers named B_t and B_d");
    }
}
