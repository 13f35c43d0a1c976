using System.Globalization;
using Microsoft.Extensions.AI;
using Paddock.Engine;
using Paddock.Storage;

namespace Paddock.Judging.Clients;

/// <summary>
/// Lets nothing be sent that could spend more than a cap: a request reserves what it could cost at most, and its reply turns that into what it did cost.
/// What was spent is kept in the store, so the cap holds over kills, restarts and processes. When it is reached the run ends; what is paid for stays.
/// </summary>
/// <param name="scope">Whose money it is: the judge.</param>
public sealed class BudgetChatClient(IChatClient inner, ReplyStore store, string scope, TokenPrice price, double cap) : DelegatingChatClient(inner)
{
    private readonly Lock _gate = new();
    private double _reserved;

    public override async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        ChatMessage[] all = [.. messages];
        double most = price.Of(TokenEstimate.AtMost(all), options?.MaxOutputTokens ?? TokenEstimate.DefaultReply);
        lock (_gate)
        {
            double spent = store.Spent(scope);
            if (spent + _reserved + most > cap)
                throw new BadInputException(string.Create(CultureInfo.InvariantCulture, $"the cap of {cap} is reached: {spent:0.####} is spent on '{scope}' and the next call may cost {most:0.######}; raise limits.cap and run again, replies that are paid for are kept"));
            _reserved += most;
        }
        try
        {
            ChatResponse response = await base.GetResponseAsync(all, options, cancellationToken).ConfigureAwait(false);
            store.Spend(scope, price.Of(response.Usage?.InputTokenCount ?? 0, response.Usage?.OutputTokenCount ?? 0));
            return response;
        }
        finally
        {
            lock (_gate)
                _reserved -= most;
        }
    }
}

/// <summary>Tokens of a prompt without its model's tokenizer.</summary>
internal static class TokenEstimate
{
    /// <summary>Longest reply of a model that was given no limit.</summary>
    public const int DefaultReply = 4096;

    private const int TokensOfMessage = 8;

    /// <summary>One token for every two bytes: more than any common tokenizer makes of text that people write.</summary>
    public static long AtMost(IEnumerable<ChatMessage> messages) => messages.Sum(m => TokensOfMessage + System.Text.Encoding.UTF8.GetByteCount(m.Text) / 2L);

    /// <summary>One token for every four bytes: about right for English.</summary>
    public static long Likely(IEnumerable<ChatMessage> messages) => messages.Sum(m => TokensOfMessage + System.Text.Encoding.UTF8.GetByteCount(m.Text) / 4L);
}
