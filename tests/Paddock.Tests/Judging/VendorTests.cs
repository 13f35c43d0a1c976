using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.AI;
using Paddock.Engine;
using Paddock.Judging.Clients;

namespace Paddock.Tests.Judging;

/// <summary>What goes over the wire to each vendor, and what is made of what comes back.</summary>
public sealed class VendorTests
{
    private static readonly ChatOptions Options = new() { ModelId = "m-1", Temperature = 0.5f, MaxOutputTokens = 7, AdditionalProperties = new() { [ReplyFields.TopLogProbs] = 5 } };

    private static readonly ChatMessage[] Messages = [new(ChatRole.System, "Be fair."), new(ChatRole.User, "Which? 日本 <b>")];

    [Fact]
    public async Task OpenAI_gets_its_request_and_its_reply_is_read()
    {
        Wire wire = new(200, """
            {"id": "r1", "model": "m-1-0613", "system_fingerprint": "fp_9", "usage": {"prompt_tokens": 11, "completion_tokens": 1}, "choices": [{"finish_reason": "stop",
             "message": {"role": "assistant", "content": "m", "reasoning_content": "because"}, "logprobs": {"content": [{"token": "m", "logprob": -0.1, "top_logprobs": [{"token": "m", "logprob": -0.1}, {"token": "M", "logprob": -2.5}]}]}}]}
            """);
        StoredReply reply = StoredReply.Of(await OpenAi(wire).GetResponseAsync(Messages, Options));
        Assert.Equal("""{"model":"m-1","messages":[{"role":"system","content":"Be fair."},{"role":"user","content":"Which? 日本 <b>"}],"max_tokens":7,"temperature":0.5,"logprobs":true,"top_logprobs":5}""", wire.Body);
        Assert.Equal("http://judge.test/v1/chat/completions", wire.Address);
        Assert.Equal(("m", "because", "stop", "m-1-0613", "fp_9", 11L, 1L, -2.5), (reply.Text, reply.Reasoning, reply.Finish, reply.Model, reply.Fingerprint, reply.InputTokens, reply.OutputTokens, reply.LogProbs![0].Top[1].LogProb));
    }

    [Fact]
    public async Task Anthropic_gets_its_request_and_its_reply_is_read()
    {
        Wire wire = new(200, """{"id": "msg_1", "model": "m-1", "stop_reason": "max_tokens", "usage": {"input_tokens": 12, "output_tokens": 7}, "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "B "}, {"type": "text", "text": "it is"}]}""");
        using AnthropicChatClient client = new(new HttpClient(wire), "http://judge.test/v1/", null, TimeProvider.System);
        StoredReply reply = StoredReply.Of(await client.GetResponseAsync(Messages, Options));
        using JsonDocument body = JsonDocument.Parse(wire.Body!);
        Assert.Equal(("Be fair.", 7, 1), (body.RootElement.GetProperty("system").GetString(), body.RootElement.GetProperty("max_tokens").GetInt32(), body.RootElement.GetProperty("messages").GetArrayLength()));
        Assert.Equal(("http://judge.test/v1/messages", "2023-06-01"), (wire.Address, wire.Header("anthropic-version")));
        Assert.Equal(("B it is", "hm", "length", 12L, 7L), (reply.Text, reply.Reasoning, reply.Finish, reply.InputTokens, reply.OutputTokens));
    }

    [Fact]
    public async Task A_key_comes_from_the_environment_and_stands_in_no_message()
    {
        const string Name = "PADDOCK_TEST_JUDGE_KEY";
        BadInputException missing = await Assert.ThrowsAsync<BadInputException>(() => OpenAi(new Wire(200, "{}"), Name).GetResponseAsync(Messages, Options));
        Assert.Contains($"set the environment variable {Name}", missing.Message, StringComparison.Ordinal);
        Environment.SetEnvironmentVariable(Name, "sk-very-secret");
        try
        {
            Wire wire = new(401, """{"error": {"message": "Incorrect API key provided: sk-very-secret"}}""");
            BadInputException denied = await Assert.ThrowsAsync<BadInputException>(() => OpenAi(wire, Name).GetResponseAsync(Messages, Options));
            Assert.Equal("Bearer sk-very-secret", wire.Header("Authorization"));
            Assert.Equal($"judge.test: 401 Incorrect API key provided: ***; check the key in {Name}", denied.Message);
        }
        finally
        {
            Environment.SetEnvironmentVariable(Name, null);
        }
    }

    [Theory]
    [InlineData(429, CallFault.Throttled)]
    [InlineData(500, CallFault.Unavailable)]
    [InlineData(529, CallFault.Unavailable)]
    [InlineData(400, CallFault.Rejected)]
    [InlineData(413, CallFault.Rejected)]
    public async Task A_status_says_whether_another_try_may_help(int status, CallFault fault) =>
        Assert.Equal(fault, (await Assert.ThrowsAsync<JudgeCallException>(() => OpenAi(new Wire(status, "oh")).GetResponseAsync(Messages, Options))).Fault);

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{\"choices\": []}")]
    [InlineData("{\"choices\": [{\"message\": 5}]}")]
    [InlineData("{\"choices\": [{\"message\": {\"content\": \" \"}, \"finish_reason\": \"stop\"}]}")]
    [InlineData("{\"choices\": [{\"message\": {\"content\": \"A\"}, \"logprobs\": {\"content\": [{}]}}]}")]
    public async Task A_damaged_reply_is_one_that_may_be_asked_for_again(string body) =>
        Assert.Equal(CallFault.Damaged, (await Assert.ThrowsAsync<JudgeCallException>(() => OpenAi(new Wire(200, body)).GetResponseAsync(Messages, Options))).Fault);

    private static OpenAiChatClient OpenAi(Wire wire, string? keyFrom = null) => new(new HttpClient(wire), "http://judge.test/v1", keyFrom, TimeProvider.System);

    /// <summary>Stands for the network: keeps the request, gives the reply.</summary>
    private sealed class Wire(int status, string reply) : HttpMessageHandler
    {
        private HttpRequestMessage? _request;

        public string? Body { get; private set; }

        public string? Address => _request?.RequestUri?.ToString();

        public string? Header(string name) => _request!.Headers.TryGetValues(name, out IEnumerable<string>? values) ? values.Single() : null;

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            (_request, Body) = (request, await request.Content!.ReadAsStringAsync(cancellationToken));
            return new HttpResponseMessage((HttpStatusCode)status) { Content = new StringContent(reply, Encoding.UTF8, "application/json") };
        }
    }
}
