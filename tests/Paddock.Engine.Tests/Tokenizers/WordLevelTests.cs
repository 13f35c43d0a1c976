using System.Text.Json;
using Paddock.Engine.Tokenizers;

namespace Paddock.Engine.Tests.Tokenizers;

public sealed class WordLevelTests
{
    private static readonly string[] Words = ["<pad>", "<eos>", "<sep>", "the", "cat", "sat", ".", "<by_ann>"];

    private static Tokenizer Build() => WordLevelTokenizer.Build(Words, ["<pad>", "<eos>", "<sep>"],
        new TokenizerConfig(EosToken: "<eos>", PadToken: "<pad>", ChatTemplate: "{{ messages[0]['content'] }} <sep>"));

    [Fact]
    public void Ids_are_positions_and_text_is_words_joined_by_spaces()
    {
        Tokenizer tokenizer = Build();
        Assert.Equal([7, 3, 4, 5, 6, 2, 3, 1], tokenizer.Encode("<by_ann> the cat\tsat . <sep>the <eos>"));
        Assert.Equal("<by_ann> the cat sat . <sep> the <eos>", tokenizer.Decode([7, 3, 4, 5, 6, 2, 3, 1]));
        Assert.Equal("<by_ann> the cat sat . the", tokenizer.Decode([7, 3, 4, 5, 6, 2, 3, 1], skipSpecialTokens: true));
        Assert.Equal((8, 1, 0, null, null), (tokenizer.VocabularySize, tokenizer.EosId, tokenizer.PadId, tokenizer.BosId, tokenizer.UnknownId));
    }

    [Fact]
    public void A_stream_shows_each_word_with_its_space()
    {
        StreamingDecoder stream = new(Build());
        Assert.Equal(["the", " cat", null, " sat"], new[] { 3, 4, 2, 5 }.Select(stream.Push));
    }

    [Fact]
    public void A_word_outside_the_vocabulary_is_an_error_or_the_unknown_token()
    {
        Assert.Contains("'dog' is not in the vocabulary", Assert.Throws<BadInputException>(() => Build().Encode("the dog")).Message, StringComparison.Ordinal);
        Tokenizer known = WordLevelTokenizer.Build(["<unk>", "the"], ["<unk>"]);
        Assert.Equal([1, 0], known.Encode("the dog"));
    }

    [Fact]
    public void Saved_folder_has_the_layout_of_the_reference_and_loads_equal()
    {
        string folder = Directory.CreateTempSubdirectory("paddock-words").FullName;
        Tokenizer tokenizer = Build();
        tokenizer.Save(folder);
        tokenizer.Config.Save(folder);
        using (JsonDocument file = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "tokenizer.json"))))
        {
            JsonElement root = file.RootElement;
            Assert.Equal("WordLevel", root.GetProperty("model").GetProperty("type").GetString());
            Assert.Equal("<unk>", root.GetProperty("model").GetProperty("unk_token").GetString());
            Assert.Equal(4, root.GetProperty("model").GetProperty("vocab").GetProperty("cat").GetInt32());
            Assert.Equal("WhitespaceSplit", root.GetProperty("pre_tokenizer").GetProperty("type").GetString());
            Assert.Equal(JsonValueKind.Null, root.GetProperty("decoder").ValueKind);
            Assert.Equal([true, true, true], root.GetProperty("added_tokens").EnumerateArray().Select(t => t.GetProperty("special").GetBoolean()));
        }
        using (JsonDocument file = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "tokenizer_config.json"))))
            Assert.Equal("PreTrainedTokenizerFast", file.RootElement.GetProperty("tokenizer_class").GetString());
        Tokenizer loaded = Tokenizer.Load(folder);
        Directory.Delete(folder, recursive: true);
        Assert.Equal(tokenizer.Config, loaded.Config);
        Assert.Equal(tokenizer.AddedTokens, loaded.AddedTokens);
        Assert.Equal([3, 4, 1], loaded.Encode("the cat <eos>"));
        Assert.Equal(tokenizer.EosId, loaded.EosId);
    }

    [Theory]
    [InlineData("a b", "white space")]
    [InlineData("", "is empty")]
    [InlineData("cat", "is there twice")]
    public void A_vocabulary_that_cannot_round_trip_is_refused(string word, string message) => Assert.Contains(message,
        Assert.Throws<BadInputException>(() => WordLevelTokenizer.Build(["cat", word], [])).Message, StringComparison.Ordinal);

    [Fact]
    public void A_special_token_must_be_a_word() => Assert.Contains("'<eos>' is not in it",
        Assert.Throws<BadInputException>(() => WordLevelTokenizer.Build(["cat"], ["<eos>"])).Message, StringComparison.Ordinal);
}
