using Microsoft.Extensions.AI;

namespace Paddock.Judging.Clients;

/// <summary>Names under which clients of judges pass what <see cref="ChatOptions"/> and <see cref="ChatResponse"/> have no field for.</summary>
internal static class ReplyFields
{
    /// <summary>Option: how many alternatives of each token are wanted.</summary>
    public const string TopLogProbs = "top_logprobs";

    /// <summary>Option: texts, one a line, whose log-probs are wanted exactly; the embedded engine gives them.</summary>
    public const string Candidates = "candidates";

    /// <summary>Option: number of the try, so that a second reply to one prompt is another one.</summary>
    public const string Sample = "sample";

    public const string LogProbs = "logprobs", Fingerprint = "system_fingerprint", Seconds = "seconds", Limits = "limits";
}

/// <summary>A reply as the store keeps it.</summary>
/// <param name="Id">The server's id of the reply.</param>
/// <param name="Seconds">How long it took when it was made.</param>
internal sealed record StoredReply(string? Id, string Text, string? Reasoning, string? Finish, string? Model, string? Fingerprint, long InputTokens, long OutputTokens,
    IReadOnlyList<TokenLogProb>? LogProbs, double Seconds)
{
    public static StoredReply Of(ChatResponse response)
    {
        AdditionalPropertiesDictionary fields = response.AdditionalProperties ?? [];
        string reasoning = string.Concat(response.Messages.SelectMany(m => m.Contents).OfType<TextReasoningContent>().Select(c => c.Text));
        return new(response.ResponseId, response.Text, reasoning.Length > 0 ? reasoning : null, response.FinishReason?.Value, response.ModelId, fields.GetValueOrDefault(ReplyFields.Fingerprint) as string,
            response.Usage?.InputTokenCount ?? 0, response.Usage?.OutputTokenCount ?? 0, fields.GetValueOrDefault(ReplyFields.LogProbs) as IReadOnlyList<TokenLogProb>,
            fields.GetValueOrDefault(ReplyFields.Seconds) is double seconds ? seconds : 0);
    }

    /// <param name="limits">What the server's headers said; never stored.</param>
    public ChatResponse ToResponse(RateLimits? limits = null)
    {
        List<AIContent> contents = Reasoning == null ? [] : [new TextReasoningContent(Reasoning)];
        contents.Add(new TextContent(Text));
        ChatResponse response = new(new ChatMessage(ChatRole.Assistant, contents))
        {
            ResponseId = Id,
            ModelId = Model,
            FinishReason = Finish == null ? null : new ChatFinishReason(Finish),
            Usage = new UsageDetails { InputTokenCount = InputTokens, OutputTokenCount = OutputTokens },
            AdditionalProperties = new() { [ReplyFields.Seconds] = Seconds },
        };
        if (Fingerprint != null)
            response.AdditionalProperties[ReplyFields.Fingerprint] = Fingerprint;
        if (LogProbs != null)
            response.AdditionalProperties[ReplyFields.LogProbs] = LogProbs;
        if (limits != null)
            response.AdditionalProperties[ReplyFields.Limits] = limits;
        return response;
    }
}
