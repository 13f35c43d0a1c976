using System.Text.Json;
using Paddock.Engine.Checkpoints;

namespace Paddock.Engine.Models.Families;

/// <summary>The rotary keys of config.json, in the style of transformers 5 (<c>rope_parameters</c>) or 4 (<c>rope_theta</c>, <c>rope_scaling</c>).</summary>
/// <param name="Factor">Linear scaling, 1 for none.</param>
/// <param name="Partial">Share of a head's channels that are rotated.</param>
internal readonly record struct RotaryKeys(double Theta, double Factor, RopeScaling? Scaling, double Partial)
{
    /// <param name="theta">Default of the base.</param>
    /// <param name="layers">Key below <c>rope_parameters</c> where each type of layer has its own; null where all share them.</param>
    public static RotaryKeys Read(JsonKeys json, double theta = 10000, string? layers = null)
    {
        JsonKeys? parameters = json.Object("rope_parameters");
        if (layers != null)
            parameters = parameters?.Object(layers);
        double found = parameters?.Number("rope_theta") ?? json.Number("rope_theta") ?? theta;
        double partial = parameters?.Number("partial_rotary_factor") ?? json.Number("partial_rotary_factor") ?? 1;
        if (!(partial is > 0 and <= 1))
            throw new BadInputException($"{json.Place}: partial_rotary_factor must be above 0 and at most 1, not {partial}");
        if ((parameters ?? json.Object("rope_scaling")) is not JsonKeys rope)
            return new(found, 1, null, partial);
        string type = rope.Text("rope_type") ?? rope.Text("type") ?? "default";
        return type switch
        {
            "default" => new(found, 1, null, partial),
            "linear" => new(found, Required("factor"), null, partial),
            "llama3" => new(found, 1, new(Required("factor"), Required("low_freq_factor"), Required("high_freq_factor"), rope.RequiredInt("original_max_position_embeddings")), partial),
            _ => throw new BadInputException($"{json.Place}: rotary scaling '{JsonInput.Short(type)}' is not supported; supported are default, linear and llama3"),
        };

        double Required(string key) => rope.Number(key) ?? throw new BadInputException($"{json.Place}: key '{rope.Path}{key}' is missing");
    }

    public static void Write(Utf8JsonWriter writer, ModelConfig config)
    {
        if (config.RopeScaling is RopeScaling scaling)
        {
            writer.WriteStartObject("rope_scaling");
            writer.WriteNumber("factor", scaling.Factor);
            writer.WriteNumber("high_freq_factor", scaling.HighFrequencyFactor);
            writer.WriteNumber("low_freq_factor", scaling.LowFrequencyFactor);
            writer.WriteNumber("original_max_position_embeddings", scaling.OriginalMaxPositions);
            writer.WriteString("rope_type", "llama3");
            writer.WriteEndObject();
        }
        else if (config.RopeFactor != 1)
        {
            writer.WriteStartObject("rope_scaling");
            writer.WriteNumber("factor", config.RopeFactor);
            writer.WriteString("rope_type", "linear");
            writer.WriteEndObject();
        }
        else
        {
            writer.WriteNull("rope_scaling");
        }
        writer.WriteNumber("rope_theta", config.RopeTheta);
    }
}
