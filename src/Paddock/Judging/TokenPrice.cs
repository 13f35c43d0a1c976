using System.Reflection;
using System.Text.Json;
using Paddock.Engine;

namespace Paddock.Judging;

/// <summary>Price of a million tokens in and out.</summary>
public sealed record TokenPrice(double Input, double Output)
{
    public double Of(long inputTokens, long outputTokens) => (inputTokens * Input + outputTokens * Output) / 1e6;
}

/// <summary>Prices by model id: a data file that ships with the program, which a file of the user may replace.</summary>
/// <param name="AsOf">When the prices were looked up.</param>
/// <param name="Models">By model id; a dated id (<c>gpt-4o-2024-08-06</c>) has the price of the longest id that it begins with.</param>
public sealed record PriceTable(string Currency, string AsOf, IReadOnlyDictionary<string, TokenPrice> Models)
{
    private const string Resource = "prices.json";

    public static PriceTable Shipped { get; } = Parse(Assembly.GetExecutingAssembly().GetManifestResourceStream(Resource)!, Resource);

    public static PriceTable Read(string path)
    {
        try
        {
            using FileStream file = File.OpenRead(path);
            return Parse(file, path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException($"{path}: {e.Message}", e);
        }
    }

    /// <summary>Null when the table does not have the model.</summary>
    public TokenPrice? Find(ModelSettings model)
    {
        if (model.Provider == JudgeProvider.Embedded)
            return new(0, 0);
        if (model is { InputPrice: { } input, OutputPrice: { } output })
            return new(input, output);
        string? known = Models.Keys.Where(id => model.Name == id || (model.Name.StartsWith(id, StringComparison.Ordinal) && model.Name[id.Length] is '-' or '@' or ':' && char.IsAsciiDigit(model.Name.ElementAtOrDefault(id.Length + 1))))
            .MaxBy(id => id.Length);
        return known == null ? null : Models[known];
    }

    private static PriceTable Parse(Stream stream, string place)
    {
        try
        {
            PriceTable table = JsonSerializer.Deserialize(stream, JudgingJson.Default.PriceTable) ?? throw new JsonException("null");
            return table.Models.All(m => m.Value is { Input: >= 0, Output: >= 0 }) ? table : throw new JsonException("a price is below 0");
        }
        catch (JsonException e)
        {
            throw new BadInputException($"{place}: not a price table: {e.Message}", e);
        }
    }
}
