using System.Text.Json;
using Paddock.Engine.Training;

namespace Paddock.Engine.Tests.Training;

public sealed class SchedulesTests
{
    [Fact]
    public void Rates_match_the_reference_at_every_step()
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Golden", "hf", "schedules.json")));
        JsonElement json = document.RootElement;
        double rate = json.GetProperty("base_lr").GetDouble(), tolerance = json.GetProperty("tolerance").GetProperty("relative").GetDouble();
        (int warmup, int steps) = (json.GetProperty("num_warmup_steps").GetInt32(), json.GetProperty("num_training_steps").GetInt32());
        HashSet<string> seen = [];
        foreach (JsonElement schedule in json.GetProperty("schedules").EnumerateArray())
        {
            string name = schedule.GetProperty("name").GetString()!;
            ScheduleOptions options = Options(schedule.GetProperty("specific"), rate);
            double[] expected = [.. schedule.GetProperty("lr").EnumerateArray().Select(v => v.GetDouble())];
            Assert.Equal(steps + 1, expected.Length);
            for (int i = 0; i < expected.Length; i++)
                Assert.Equal(expected[i], Schedules.Rate(name, rate, i, warmup, steps, options), rate * tolerance);
            seen.Add(name);
        }
        Assert.Equal(Schedules.Names.Order(), seen.Order());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    public void Without_a_warm_up_the_first_step_has_the_full_rate(int steps)
    {
        foreach (string name in Schedules.Names)
            Assert.Equal(0.5, Schedules.Rate(name, 0.5, 0, 0, steps, new(DecaySteps: Math.Min(steps, 2))), 1e-12);
    }

    [Fact]
    public void An_unknown_schedule_is_refused_with_the_known_names()
    {
        string message = Assert.Throws<BadInputException>(() => Schedules.Rate("cosinus", 1, 0, 0, 1, new())).Message;
        Assert.StartsWith("schedule 'cosinus' is not known; known are constant, ", message, StringComparison.Ordinal);
    }

    private static ScheduleOptions Options(JsonElement specific, double rate)
    {
        ScheduleOptions options = new();
        foreach (JsonProperty property in specific.EnumerateObject())
            options = property.Name switch
            {
                "min_lr_rate" or "min_lr_ratio" => options with { MinimumRatio = property.Value.GetDouble() },
                "min_lr" => options with { MinimumRatio = property.Value.GetDouble() / rate },
                "power" => options with { Power = property.Value.GetDouble() },
                "lr_end" => options with { End = property.Value.GetDouble() },
                "timescale" => options with { TimeScale = property.Value.GetDouble() },
                "num_decay_steps" => options with { DecaySteps = property.Value.GetInt32() },
                "decay_type" => options with { LinearDecay = property.Value.GetString() == "linear" },
                "num_cycles" => options with { Cycles = property.Value.GetInt32() },
                _ => throw new InvalidOperationException(property.Name),
            };
        return options;
    }
}
