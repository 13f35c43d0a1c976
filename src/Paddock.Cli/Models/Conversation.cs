using Paddock.Data;
using Paddock.Engine.Numerics;
using Paddock.Engine.Sampling;
using Paddock.Engine.Tokenizers;

namespace Paddock.Cli.Models;

/// <summary>
/// A conversation with a model, an answer at a time. The whole conversation is encoded anew for every answer, so that the model reads
/// exactly what its template says.
/// </summary>
internal sealed class Conversation(LoadedModel model, SamplerOptions options, ulong seed, string? system)
{
    private readonly RandomStream _stream = new(seed, "chat");
    private readonly List<ChatMessage> _messages = system == null ? [] : [new ChatMessage("system", system)];
    private ulong _turns;

    /// <summary>Forgets everything but the system message; the random stream starts over too.</summary>
    public void Reset()
    {
        _messages.RemoveAll(m => m.Role != "system");
        _turns = 0;
    }

    /// <summary>Starts over, with another system message or none.</summary>
    public void Restart(string? system)
    {
        _messages.Clear();
        if (system != null)
            _messages.Add(new ChatMessage("system", system));
        _turns = 0;
    }

    /// <summary>Answers one message, handing text to <paramref name="show"/> as it becomes whole characters.</summary>
    /// <param name="stop">Cuts the answer off; what was said stays part of the conversation.</param>
    public ChatAnswer Answer(string message, Action<string> show, CancellationToken stop)
    {
        _messages.Add(new ChatMessage("user", message));
        List<int> tokens = [];
        try
        {
            int[] prompt = model.Codec.EncodePrompt(_messages);
            StreamingDecoder decoder = new(model.Codec.Tokenizer);
            foreach (SampledToken token in model.Sampler.Stream(new PromptRequest(prompt, 1, _stream.Split(_turns).AsSeed()), options, CancellationToken.None))
            {
                if (stop.IsCancellationRequested)
                    break;
                tokens.Add(token.Token);
                if (!model.Codec.StopTokens.Contains(token.Token) && decoder.Push(token.Token) is { } text)
                    show(text);
            }
            if (decoder.Flush() is { Length: > 0 } rest)
                show(rest);
        }
        catch
        {
            _messages.RemoveAt(_messages.Count - 1); // a message that cannot be answered is not part of the conversation
            throw;
        }
        Response response = model.Codec.DecodeResponse(tokens);
        _messages.Add(new ChatMessage("assistant", response.Text));
        _turns++;
        return new(tokens.Count, response.Finished);
    }
}

/// <param name="Tokens">How many were drawn, the one that ended the answer included.</param>
/// <param name="Finished">Whether the model ended the answer itself.</param>
internal readonly record struct ChatAnswer(int Tokens, bool Finished);
