using System.Net.Http.Headers;
using Microsoft.Extensions.AI;
using Paddock.Engine;
using Paddock.Engine.Numerics;
using Paddock.Judging;
using Paddock.Judging.Clients;
using Paddock.Storage;
using Paddock.Tests.Storage;

namespace Paddock.Tests.Judging;

/// <summary>One behaviour each: cache, budget, retries, limits, duplicates, and the two vendors' wire formats.</summary>
public sealed class ClientTests
{
    private static readonly ChatOptions Options = new() { ModelId = "judge-1", MaxOutputTokens = 10 };

    [Fact]
    public async Task A_stored_reply_is_used_and_another_prompt_or_option_is_another_reply()
    {
        using TemporaryFolder folder = new();
        using ReplyStore store = ReplyStore.Open(folder.File("r.db"));
        FakeChat chat = new(prompt => $"re: {prompt}");
        using CachingChatClient cache = new(chat, store, CacheMode.Record, "s");
        Assert.Equal("re: a", await Ask(cache, "a"));
        Assert.Equal("re: a", await Ask(cache, "a"));
        Assert.Equal((1, 1L, 1L), (chat.Calls, cache.Hits, cache.Misses));
        await Ask(cache, "b");
        await Ask(cache, "a", new ChatOptions { ModelId = "judge-1", MaxOutputTokens = 11 });
        await Ask(cache, "a", new ChatOptions { ModelId = "judge-1", MaxOutputTokens = 10, AdditionalProperties = new() { [ReplyFields.Sample] = 1 } });
        using CachingChatClient elsewhere = new(chat, store, CacheMode.Record, "other server");
        await Ask(elsewhere, "a");
        Assert.Equal(5, chat.Calls);
    }

    [Fact]
    public async Task A_reply_from_the_store_is_the_reply_that_was_stored()
    {
        using TemporaryFolder folder = new();
        using ReplyStore store = ReplyStore.Open(folder.File("r.db"));
        TokenLogProb token = new("m", -0.125, [new("m", -0.125), new("\n", double.NegativeInfinity)]);
        using CachingChatClient cache = new(new FakeChat((_, _) => FakeChat.Reply("m", "length", [token], "id-1") with { Reasoning = "why" }), store, CacheMode.Record, "s");
        StoredReply first = StoredReply.Of(await cache.GetResponseAsync([new(ChatRole.User, "x")], Options)), second = StoredReply.Of(await cache.GetResponseAsync([new(ChatRole.User, "x")], Options));
        Assert.Equal(first with { LogProbs = null }, second with { LogProbs = null });
        Assert.Equal(("why", "length", "id-1", -0.125, double.NegativeInfinity), (second.Reasoning, second.Finish, second.Id, second.LogProbs![0].LogProb, second.LogProbs[0].Top[1].LogProb));
    }

    [Fact]
    public async Task Replay_sends_nothing_and_refresh_asks_anew()
    {
        using TemporaryFolder folder = new();
        using ReplyStore store = ReplyStore.Open(folder.File("r.db"));
        FakeChat chat = new((_, call) => FakeChat.Reply($"{call}"));
        using CachingChatClient record = new(chat, store, CacheMode.Record, "s"), replay = new(chat, store, CacheMode.Replay, "s"), refresh = new(chat, store, CacheMode.Refresh, "s");
        Assert.StartsWith("replay: there is no recorded reply for a prompt to judge-1", (await Assert.ThrowsAsync<BadInputException>(() => Ask(replay, "a"))).Message, StringComparison.Ordinal);
        Assert.Equal("1", await Ask(record, "a"));
        Assert.Equal("1", await Ask(replay, "a"));
        Assert.Equal("2", await Ask(refresh, "a"));
        Assert.Equal("2", await Ask(replay, "a"));
        Assert.Equal(2, chat.Calls);
    }

    [Fact]
    public async Task Nothing_is_sent_that_could_spend_more_than_the_cap()
    {
        using TemporaryFolder folder = new();
        using ReplyStore store = ReplyStore.Open(folder.File("r.db"));
        FakeChat chat = new(_ => "A");
        // a reply costs 100 * 100 + 2 * 1000 millionths, and could cost (8 + 0) * 100 + 10 * 1000 before it is there
        BudgetChatClient budget = new(chat, store, "judge", new TokenPrice(100, 1000), cap: 0.04);
        await Ask(budget, "a");
        await Ask(budget, "b");
        await Ask(budget, "c");
        Assert.Equal(0.036, store.Spent("judge"), 12);
        BadInputException error = await Assert.ThrowsAsync<BadInputException>(() => Ask(budget, "d"));
        Assert.StartsWith("the cap of 0.04 is reached: 0.036 is spent on 'judge'", error.Message, StringComparison.Ordinal);
        Assert.Equal(3, chat.Calls);
        Assert.Equal("A", await Ask(new BudgetChatClient(chat, store, "judge", new TokenPrice(100, 1000), cap: 1), "d"));
    }

    [Fact]
    public async Task What_may_pass_is_tried_again_and_what_may_not_is_not()
    {
        FakeChat chat = new((_, call) => call <= 3 ? throw new JudgeCallException(CallFault.Throttled, "429") { RetryAfter = TimeSpan.FromMilliseconds(1) } : FakeChat.Reply("A"));
        Assert.Equal("A", await Ask(Retrying(chat, 3), "a"));
        Assert.Equal(4, chat.Calls);
        FakeChat rejected = new((_, _) => throw new JudgeCallException(CallFault.Rejected, "400"));
        await Assert.ThrowsAsync<JudgeCallException>(() => Ask(Retrying(rejected, 3), "a"));
        Assert.Equal(1, rejected.Calls);
        FakeChat down = new((_, _) => throw new JudgeCallException(CallFault.Unavailable, "500") { RetryAfter = TimeSpan.Zero });
        Assert.Equal("500", (await Assert.ThrowsAsync<JudgeCallException>(() => Ask(Retrying(down, 2), "a"))).Message);
        Assert.Equal(3, down.Calls);
    }

    [Fact]
    public async Task A_call_ends_when_its_time_is_up_and_says_what_the_last_try_said()
    {
        FakeChat chat = new((_, _) => throw new JudgeCallException(CallFault.Throttled, "429 wait") { RetryAfter = TimeSpan.FromMinutes(5) });
        using RetryChatClient retry = new(chat, 5, TimeSpan.FromMilliseconds(50), new RandomStream(1, "t"), TimeProvider.System);
        Assert.EndsWith("the last try: 429 wait", (await Assert.ThrowsAsync<JudgeCallException>(() => Ask(retry, "a"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_answers_nothing_is_left_alone()
    {
        FakeChat chat = new((_, _) => throw new JudgeCallException(CallFault.Unavailable, "500"));
        using CircuitBreakerChatClient breaker = new(chat, TimeProvider.System);
        for (int i = 0; i < 30; i++)
            await Assert.ThrowsAsync<JudgeCallException>(() => Ask(breaker, "a"));
        Assert.Equal(20, chat.Calls);
        JudgeCallException open = await Assert.ThrowsAsync<JudgeCallException>(() => Ask(breaker, "a"));
        Assert.True(open.MayPass && open.RetryAfter > TimeSpan.Zero);
    }

    [Fact]
    public async Task A_reply_of_another_request_is_refused_but_a_server_without_ids_is_not()
    {
        string[] ids = ["1", "2", "2", "2", "2", "3", "4", "5", "5", "5", "6"];
        DuplicateChatClient guard = new(new FakeChat((_, call) => FakeChat.Reply("A", id: ids[call - 1])));
        await Ask(guard, "a");
        await Ask(guard, "b");
        for (int i = 2; i < ids.Length; i++)
            if (ids[i] == ids[i - 1])
                await Assert.ThrowsAsync<JudgeCallException>(() => Ask(guard, "c"));
            else
                await Ask(guard, "c");
        DuplicateChatClient constant = new(new FakeChat((_, _) => FakeChat.Reply("A", id: "chatcmpl-local")));
        await Ask(constant, "a");
        for (int i = 0; i < 4; i++)
            await Assert.ThrowsAsync<JudgeCallException>(() => Ask(constant, "b"));
        for (int i = 0; i < 5; i++)
            await Ask(constant, "b");
    }

    [Fact]
    public void A_gate_lets_through_what_a_minute_allows()
    {
        RateGate gate = new(requestsPerMinute: 60, tokensPerMinute: null);
        TimeSpan now = TimeSpan.Zero;
        for (int i = 0; i < 60; i++)
            Assert.Equal(TimeSpan.Zero, gate.TryTake(1e9, now));
        Assert.InRange(gate.TryTake(1, now).TotalSeconds, 1, 1.01);
        Assert.Equal(TimeSpan.Zero, gate.TryTake(1, now + TimeSpan.FromSeconds(1.001)));
        Assert.True(gate.TryTake(1, now + TimeSpan.FromSeconds(1.002)) > TimeSpan.Zero);
        Assert.True(gate.TryTake(1, now) > TimeSpan.Zero); // a clock that went back gives nothing
    }

    [Fact]
    public void A_gate_learns_limits_from_headers_and_waits_for_resets()
    {
        RateGate gate = new(null, null);
        TimeSpan now = TimeSpan.FromSeconds(5);
        Assert.Equal(TimeSpan.Zero, gate.TryTake(100, now));
        gate.Learn(new RateLimits(100, 50, null, 6000, 100, null), now);
        Assert.Equal(TimeSpan.Zero, gate.TryTake(100, now));
        Assert.InRange(gate.TryTake(100, now).TotalSeconds, 1, 1.01); // 6000 a minute are 100 a second
        gate.Learn(new RateLimits(100, 0, TimeSpan.FromSeconds(30), null, null, null), now);
        Assert.InRange(gate.TryTake(0, now).TotalSeconds, 30, 30.01);
        RateGate own = new(10, null);
        own.Learn(new RateLimits(1000, 1000, null, null, null, null), now);
        for (int i = 0; i < 10; i++)
            Assert.Equal(TimeSpan.Zero, own.TryTake(0, now));
        Assert.True(own.TryTake(0, now) > TimeSpan.Zero); // one's own limit is never raised
    }

    [Theory]
    [InlineData("1s", 1.0)]
    [InlineData("6m0s", 360.0)]
    [InlineData("1h2m3.5s", 3600.0)] // an hour at most
    [InlineData("20ms", 0.02)]
    [InlineData("soon", null)]
    [InlineData("", null)]
    [InlineData("5", null)]
    public void Durations_of_headers_are_read(string text, double? seconds) => Assert.Equal(seconds, RateLimits.Duration(text)?.TotalSeconds);

    [Fact]
    public void Both_vendors_headers_are_read()
    {
        DateTimeOffset now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
        Assert.Equal(new RateLimits(500, 499, TimeSpan.FromSeconds(0.12), 30000, 29000, TimeSpan.FromSeconds(2)), RateLimits.Read(Headers(("x-ratelimit-limit-requests", "500"), ("x-ratelimit-remaining-requests", "499"),
            ("x-ratelimit-reset-requests", "120ms"), ("x-ratelimit-limit-tokens", "30000"), ("x-ratelimit-remaining-tokens", "29000"), ("x-ratelimit-reset-tokens", "2s")), now));
        Assert.Equal(new RateLimits(50, 0, TimeSpan.FromSeconds(10), null, null, null), RateLimits.Read(Headers(("anthropic-ratelimit-requests-limit", "50"), ("anthropic-ratelimit-requests-remaining", "0"),
            ("anthropic-ratelimit-requests-reset", "2026-01-02T03:04:15Z")), now));
        Assert.Null(RateLimits.Read(Headers(("x-ratelimit-limit-requests", "many")), now));
        Assert.Equal(TimeSpan.FromSeconds(7), RateLimits.RetryAfter(Headers(("Retry-After", "7")), now));
        Assert.Equal(TimeSpan.FromMilliseconds(30), RateLimits.RetryAfter(Headers(("retry-after-ms", "30")), now));
        Assert.Equal(TimeSpan.FromSeconds(10), RateLimits.RetryAfter(Headers(("Retry-After", "Fri, 02 Jan 2026 03:04:15 GMT")), now));
    }

    private static HttpResponseHeaders Headers(params (string Name, string Value)[] values)
    {
        HttpResponseMessage message = new();
        foreach ((string name, string value) in values)
            message.Headers.TryAddWithoutValidation(name, value);
        return message.Headers;
    }

    private static RetryChatClient Retrying(IChatClient inner, int retries) => new(inner, retries, TimeSpan.FromMinutes(1), new RandomStream(1, "t"), TimeProvider.System);

    private static async Task<string> Ask(IChatClient client, string text, ChatOptions? options = null) => (await client.GetResponseAsync([new ChatMessage(ChatRole.User, text)], options ?? Options)).Text;
}
