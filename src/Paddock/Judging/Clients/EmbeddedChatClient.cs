using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using System.Threading.Channels;
using Microsoft.Extensions.AI;
using Paddock.Backends;
using Paddock.Data;
using Paddock.Engine;
using ChatMessage = Microsoft.Extensions.AI.ChatMessage;

namespace Paddock.Judging.Clients;

/// <summary>
/// A local model behind the interface of judges: no network, no key, no price. Requests that wait are answered in one batch. A reply is a pure function of
/// the model, the messages and the options. Where candidates are named (<c>ReplyFields.Candidates</c>) nothing is drawn: each is scored as
/// a reply, exactly, and the likeliest is the reply.
/// </summary>
public sealed class EmbeddedChatClient : IChatClient
{
    private const int MostAtOnce = 64, DefaultMaxTokens = 256;

    private readonly ISampler _sampler;
    private readonly ITextCodec _codec;
    private readonly string _model;
    private readonly TimeProvider _time;
    private readonly Channel<Pending> _waiting = Channel.CreateUnbounded<Pending>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Task _worker;

    /// <param name="sampler">Taken over and disposed.</param>
    public EmbeddedChatClient(ISampler sampler, ITextCodec codec, string model, TimeProvider time)
    {
        (_sampler, _codec, _model, _time) = (sampler, codec, model, time);
        _worker = Task.Run(WorkAsync);
    }

    private sealed record Pending(int[] Prompt, ulong Stream, ChatOptions? Options, CancellationToken Cancellation)
    {
        public TaskCompletionSource<StoredReply> Reply { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public string[]? Candidates => (Options?.AdditionalProperties?.GetValueOrDefault(ReplyFields.Candidates) as string)?.Split('\n');

        // requests of one kind may share a batch
        public string Kind => FormattableString.Invariant($"{Options?.Temperature} {Options?.TopP} {Options?.MaxOutputTokens} {Candidates == null}");
    }

    public async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        Data.ChatMessage[] all = [.. messages.Select(m => new Data.ChatMessage(m.Role.Value, m.Text))];
        int[] prompt;
        try
        {
            prompt = _codec.EncodePrompt(all);
        }
        catch (BadInputException e)
        {
            throw new JudgeCallException(CallFault.Rejected, e.Message, e); // a template that has no place for such a message
        }
        Pending pending = new(prompt, StreamOf(all, options), options, cancellationToken);
        await _waiting.Writer.WriteAsync(pending, cancellationToken).ConfigureAwait(false);
        return (await pending.Reply.Task.WaitAsync(cancellationToken).ConfigureAwait(false)).ToResponse();
    }

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        foreach (ChatResponseUpdate update in (await GetResponseAsync(messages, options, cancellationToken).ConfigureAwait(false)).ToChatResponseUpdates())
            yield return update;
    }

    public object? GetService(Type serviceType, object? serviceKey = null) => serviceKey == null && serviceType.IsInstanceOfType(this) ? this : null;

    public void Dispose()
    {
        if (_waiting.Writer.TryComplete())
        {
            _worker.GetAwaiter().GetResult();
            _sampler.DisposeAsync().AsTask().GetAwaiter().GetResult();
        }
    }

    private async Task WorkAsync()
    {
        while (await _waiting.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            List<Pending> batch = [];
            while (batch.Count < MostAtOnce && _waiting.Reader.TryRead(out Pending? next))
                if (!next.Cancellation.IsCancellationRequested)
                    batch.Add(next);
            foreach (IGrouping<string, Pending> group in batch.GroupBy(p => p.Kind))
                await AnswerAsync([.. group]).ConfigureAwait(false);
        }
    }

    private async Task AnswerAsync(Pending[] batch)
    {
        long begun = _time.GetTimestamp();
        try
        {
            StoredReply[] replies = batch[0].Candidates == null ? await SampleAsync(batch).ConfigureAwait(false) : await ChooseAsync(batch).ConfigureAwait(false);
            double seconds = _time.GetElapsedTime(begun).TotalSeconds / batch.Length;
            for (int i = 0; i < batch.Length; i++)
                batch[i].Reply.TrySetResult(replies[i] with { Seconds = seconds });
        }
        catch (Exception) when (batch.Length > 1)
        {
            // one prompt too long for the model must not fail the others
            foreach (Pending one in batch)
                await AnswerAsync([one]).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            batch[0].Reply.TrySetException(e is BadInputException or ArgumentException ? new JudgeCallException(CallFault.Rejected, e.Message, e) : e);
        }
    }

    private async Task<StoredReply[]> SampleAsync(Pending[] batch)
    {
        ChatOptions? options = batch[0].Options;
        SamplingOptions sampling = new(options?.MaxOutputTokens ?? DefaultMaxTokens, options?.Temperature ?? 0, 0, options?.TopP ?? 1, 0, 1, _codec.StopTokens, []);
        StoredReply[] replies = new StoredReply[batch.Length];
        SampleRequest[] requests = [.. batch.Select(p => new SampleRequest(p.Prompt, 1, p.Stream))];
        await foreach (Completion completion in _sampler.SampleAsync(requests, sampling, CancellationToken.None).ConfigureAwait(false))
        {
            Response response = _codec.DecodeResponse(completion.Tokens);
            replies[completion.Request] = new(null, response.Text, null, completion.Stop == StopReason.Length ? "length" : "stop", _model, null, batch[completion.Request].Prompt.Length, completion.Tokens.Count, null, 0);
        }
        return replies;
    }

    private async Task<StoredReply[]> ChooseAsync(Pending[] batch)
    {
        List<ReadOnlyMemory<int>> sequences = [];
        List<(int Request, string Text)> of = [];
        for (int i = 0; i < batch.Length; i++)
        {
            string[] candidates = batch[i].Candidates!;
            // "1" begins "10": only with its end is a reply of its own
            bool ends = candidates.Any(a => candidates.Any(b => a != b && b.StartsWith(a, StringComparison.Ordinal)));
            foreach (string text in candidates)
            {
                sequences.Add((int[])[.. batch[i].Prompt, .. _codec.EncodeResponse(new Response(text, Finished: ends))]);
                of.Add((i, text));
            }
        }
        IReadOnlyList<ReadOnlyMemory<float>> scores = await _sampler.ScoreAsync(sequences, CancellationToken.None).ConfigureAwait(false);
        List<TokenAlternative>[] alternatives = [.. batch.Select(_ => new List<TokenAlternative>())];
        for (int k = 0; k < scores.Count; k++)
        {
            double sum = 0;
            foreach (float logProb in scores[k].Span[batch[of[k].Request].Prompt.Length..])
                sum += logProb;
            alternatives[of[k].Request].Add(new(of[k].Text, sum));
        }
        return [.. alternatives.Select((top, i) =>
        {
            TokenAlternative best = top.MaxBy(t => t.LogProb)!;
            return new StoredReply(null, best.Token, null, "stop", _model, null, batch[i].Prompt.Length, 1, [new(best.Token, best.LogProb, top)], 0);
        })];
    }

    private static ulong StreamOf(Data.ChatMessage[] messages, ChatOptions? options)
    {
        string text = string.Join('\u001e', messages.Select(m => $"{m.Role}\u001f{m.Content}")) + FormattableString.Invariant($"\u001e{options?.AdditionalProperties?.GetValueOrDefault(ReplyFields.Sample)}");
        return BitConverter.ToUInt64(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
    }
}
