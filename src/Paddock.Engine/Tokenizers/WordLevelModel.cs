using System.Text.Json;

namespace Paddock.Engine.Tokenizers;

/// <summary>One token per piece, looked up whole.</summary>
internal sealed class WordLevelModel : TokenModel
{
    private readonly string _unknown;
    private readonly int _unknownId;

    /// <param name="unknown">Stands for a word that is not in the vocabulary; when it is not there itself, such a word is an error.</param>
    public WordLevelModel(Vocabulary vocabulary, string unknown) : base(vocabulary)
    {
        _unknown = unknown;
        _unknownId = vocabulary.TryGetId(unknown, out int id) ? id : -1;
    }

    public override void Encode(ReadOnlySpan<char> piece, EncodeScratch scratch, List<int> output)
    {
        if (!Vocabulary.TryGetId(piece, out int id))
            id = _unknownId >= 0
                ? _unknownId
                : throw new BadInputException(
                    $"the word '{Vocabulary.Shown(piece.ToString())}' is not in the vocabulary, which has no '{_unknown}' token for such words");
        output.Add(id);
    }

    public override void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject("model");
        json.WriteString("type", "WordLevel");
        Vocabulary.Write(json);
        json.WriteString("unk_token", _unknown);
        json.WriteEndObject();
    }
}
