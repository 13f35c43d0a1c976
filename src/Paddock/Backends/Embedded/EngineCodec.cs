using System.Security.Cryptography;
using System.Text;
using Paddock.Data;
using Paddock.Engine;
using Paddock.Engine.ChatTemplates;
using Paddock.Engine.Tokenizers;

namespace Paddock.Backends.Embedded;

/// <summary>A tokenizer and its chat template as a codec. Without a template, messages are joined as plain text with blank lines.</summary>
public sealed class EngineCodec : ITextCodec
{
    private readonly Tokenizer _tokenizer;
    private readonly ChatTemplate? _template;
    private readonly Lazy<string> _identity;

    /// <param name="endIds">Ids that end an answer by the model's config; the tokenizer's own end token is added.</param>
    public EngineCodec(Tokenizer tokenizer, IReadOnlyList<int> endIds, string place)
    {
        _tokenizer = tokenizer;
        _template = tokenizer.Config.ChatTemplate is { } source ? new ChatTemplate(source) : null;
        List<int> stops = tokenizer.EosId is { } eos ? [eos] : [];
        foreach (int id in endIds)
            if (!stops.Contains(id))
                stops.Add(id);
        if (stops.Count == 0)
            throw new BadInputException($"{place}: neither config.json nor tokenizer_config.json names an end token (eos_token); an answer could never end");
        StopTokens = stops;
        _identity = new(() => IdentityOf(tokenizer, stops));
    }

    /// <summary>Hash of the vocabulary, id by id, and of the ids that end an answer. How text is cut into ids and the chat template do not count.</summary>
    public string Identity => _identity.Value;

    public IReadOnlyList<int> StopTokens { get; }

    public Tokenizer Tokenizer => _tokenizer;

    public int[] EncodePrompt(IReadOnlyList<ChatMessage> messages)
    {
        string text = _template != null
            ? _template.Render([.. messages.Select(m => (m.Role, m.Content))], true, _tokenizer.Config.BosToken, _tokenizer.Config.EosToken)
            : Plain(messages);
        int[] ids = _tokenizer.Encode(text, addSpecialTokens: _template == null);
        return ids.Length > 0 ? ids : throw new BadInputException("a prompt has no tokens; give it some text");
    }

    public int[] EncodeResponse(Response response)
    {
        if (response.Tokens is { Count: > 0 } tokens && Spells(tokens, response))
            return [.. tokens];
        int[] ids = _tokenizer.Encode(response.Text, addSpecialTokens: false);
        return response.Finished ? [.. ids, StopTokens[0]] : ids;
    }

    public Response DecodeResponse(IReadOnlyList<int> tokens)
    {
        bool finished = tokens.Count > 0 && StopTokens.Contains(tokens[^1]);
        int[] shown = [.. finished ? tokens.Take(tokens.Count - 1) : tokens];
        return new Response(_tokenizer.Decode(shown, skipSpecialTokens: false), finished, [.. tokens]);
    }

    // ids that another model's tokenizer made would be other words here
    private bool Spells(IReadOnlyList<int> tokens, Response response)
    {
        foreach (int id in tokens)
            if ((uint)id >= (uint)_tokenizer.VocabularySize)
                return false;
        Response decoded = DecodeResponse(tokens);
        return decoded.Text == response.Text && decoded.Finished == response.Finished;
    }

    private static string IdentityOf(Tokenizer tokenizer, List<int> stops)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (int id = 0; id < tokenizer.VocabularySize; id++)
            hash.AppendData(Encoding.UTF8.GetBytes($"{tokenizer.IdToToken(id)}\0"));
        foreach (int stop in stops.Order())
            hash.AppendData(BitConverter.GetBytes(stop));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static string Plain(IReadOnlyList<ChatMessage> messages)
    {
        StringBuilder text = new();
        foreach (ChatMessage message in messages)
            text.Append(message.Content).Append("\n\n");
        return text.ToString();
    }
}
