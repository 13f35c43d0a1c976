namespace Paddock.Data;

/// <summary>
/// Text to ids and back for one model: its tokenizer and chat template. Prompt and response are encoded apart and joined as ids, so the
/// boundary never depends on how the joined text would have been cut.
/// </summary>
public interface ITextCodec
{
    /// <summary>Equal for two codecs whose ids mean the same words: ids of one may then be given to a model of the other.</summary>
    string Identity { get; }

    /// <summary>The conversation up to the point where the assistant answers.</summary>
    int[] EncodePrompt(IReadOnlyList<ChatMessage> messages);

    /// <summary>The answer's ids, with the end token when it is finished: its own ids where it has them, else those of its text.</summary>
    int[] EncodeResponse(Response response);

    /// <summary>Text of sampled ids without the end token; <see cref="Response.Tokens"/> keeps the ids themselves.</summary>
    Response DecodeResponse(IReadOnlyList<int> tokens);

    /// <summary>Ids that end an answer.</summary>
    IReadOnlyList<int> StopTokens { get; }
}
