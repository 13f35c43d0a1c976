using Paddock.Data;
using Paddock.Judging;

namespace Paddock.Tests.Judging;

public sealed class ForecastTests
{
    private static readonly Comparison[] Sample = [.. Enumerable.Range(0, 20).Select(i => Cases.Pair(i))];

    [Fact]
    public void Calls_tokens_and_money_follow_from_the_judge()
    {
        ChatJudge judge = Cases.Judge(new("j", Order: JudgeOrder.Both, Tries: 2), Cases.Honest);
        JudgeForecast forecast = JudgeForecast.Of(judge, Sample, 1000, new LimitSettings(InFlight: 10), PriceTable.Shipped, count: _ => 46, exact: true);
        // two messages of 46 + 4 tokens, two orders
        Assert.Equal(new Forecast(2000, 2000, 4000), forecast.Calls);
        Assert.Equal(new Forecast(200_000, 200_000, 400_000), forecast.InputTokens);
        Assert.Equal(new Forecast(2000, 4000, 32_000), forecast.OutputTokens);
        // 1 a million in, 2 a million out
        Assert.Equal(0.208, forecast.Price!.Expected, 12);
        Assert.Equal(0.464, forecast.Price.High, 12);
        Assert.True(forecast.Seconds!.Low < forecast.Seconds.Expected && forecast.Seconds.Expected < forecast.Seconds.High);
    }

    [Fact]
    public void A_limit_of_requests_bounds_the_time() =>
        Assert.Equal(60, JudgeForecast.Of(Cases.Judge(new("j", Tries: 1), Cases.Honest), Sample, 100, new LimitSettings(InFlight: 1000, RequestsPerMinute: 100), PriceTable.Shipped).Seconds!.Expected, 9);

    [Fact]
    public void Noise_and_pools_save_calls_and_juries_do_not()
    {
        IJudge[] members = [Cases.Judge(new("a"), Cases.Honest), Cases.Judge(new("b"), Cases.Honest)];
        double Calls(IJudge judge) => JudgeForecast.Of(judge, Sample, 100, new LimitSettings(), PriceTable.Shipped).Calls.Expected;
        Assert.Equal(200, Calls(new Jury(new("mean"), members, "j")), 9);
        Assert.Equal(100, Calls(new Jury(new("pool", Rule: JuryRule.Pool), members, "j")), 9);
        Assert.Equal(50, Calls(Cases.Judge(new("a", Noise: 0.25), Cases.Honest)), 9);
    }

    [Theory]
    [InlineData("gpt-4o-2024-08-06", 2.5)]
    [InlineData("gpt-4o-mini", 0.15)]
    [InlineData("gpt-4", 30.0)]
    [InlineData("gpt-4x", null)]
    [InlineData("my-own", null)]
    public void A_dated_model_has_the_price_of_its_family(string model, double? input) => Assert.Equal(input, PriceTable.Shipped.Find(new ModelSettings(model))?.Input);
}
