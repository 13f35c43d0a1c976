using System.Text.Json;
using Paddock.Engine.Tokenizers;

namespace Paddock.Engine.Tests.Tokenizers;

/// <summary>Merges in order and ids equal those of the reference trainer.</summary>
public sealed class BpeTrainerTests
{
    [Fact]
    public void Every_training_case_is_equal()
    {
        string root = Path.Combine(TokenizerGoldens.Root, "bpe_train");
        using JsonDocument file = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(root, "goldens.json")));
        JsonElement cases = file.RootElement.GetProperty("cases");
        Assert.Equal(6, cases.GetArrayLength());
        foreach (JsonElement item in cases.EnumerateArray())
        {
            JsonElement corpus = item.GetProperty("corpus");
            string[] texts = corpus.ValueKind == JsonValueKind.Array
                ? [.. corpus.EnumerateArray().Select(t => t.GetString()!)]
                : item.GetProperty("split_lines").GetBoolean()
                    ? File.ReadAllLines(Path.Combine(root, corpus.GetString()!))
                    : [File.ReadAllText(Path.Combine(root, corpus.GetString()!))];
            BpeTrainerSettings settings = new(item.GetProperty("vocab_size").GetInt32(), item.GetProperty("min_frequency").GetInt32(),
                [.. item.GetProperty("special_tokens").EnumerateArray().Select(t => t.GetString()!)], item.GetProperty("add_prefix_space").GetBoolean());
            Tokenizer trained = BpeTrainer.Train(texts, settings);

            string folder = Directory.CreateTempSubdirectory("paddock-train").FullName;
            trained.Save(folder);
            using JsonDocument saved = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "tokenizer.json")));
            Directory.Delete(folder, recursive: true);
            Assert.Equal(Pairs(item.GetProperty("merges")), Pairs(saved.RootElement.GetProperty("model").GetProperty("merges")));
            Assert.Equal(item.GetProperty("vocab_in_id_order").EnumerateArray().Select(t => t.GetString()),
                Enumerable.Range(0, trained.VocabularySize).Select(trained.IdToToken));
        }
    }

    [Fact]
    public void Order_of_the_corpus_does_not_matter()
    {
        string[] texts = ["the cat sat on the mat", "a hat for that cat", "mats and hats and cats"];
        Tokenizer one = BpeTrainer.Train(texts, new BpeTrainerSettings(300));
        Tokenizer two = BpeTrainer.Train(texts.Reverse(), new BpeTrainerSettings(300));
        Assert.Equal(Enumerable.Range(0, 300).Select(one.IdToToken), Enumerable.Range(0, 300).Select(two.IdToToken));
    }

    [Fact]
    public void A_trained_tokenizer_round_trips_any_text_and_knows_its_special_tokens()
    {
        Tokenizer tokenizer = BpeTrainer.Train(["some words, some more words"], new BpeTrainerSettings(280, 0, ["<eos>", "<pad>"]));
        Assert.Equal(0, tokenizer.EosId);
        foreach (string text in TokenizerGoldens.Strings.Values)
            Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text)));
        Assert.Equal([0], tokenizer.Encode("<eos>"));
        Assert.NotEqual([0], tokenizer.Encode("<eos>", parseSpecialTokens: false));
    }

    [Theory]
    [InlineData(255, "vocabulary size 255; it must be from 256")]
    [InlineData(100_000_000, "must be from 256 to 4000000")]
    public void A_vocabulary_that_cannot_be_is_refused(int size, string message) =>
        Assert.Contains(message, Assert.Throws<BadInputException>(() => BpeTrainer.Train(["a"], new BpeTrainerSettings(size))).Message, StringComparison.Ordinal);

    // "a b" pairs do not matter here; compare both spellings of a merge as one string.
    private static string[] Pairs(JsonElement merges) =>
        [.. merges.EnumerateArray().Select(m => m.ValueKind == JsonValueKind.String ? m.GetString()! : $"{m[0].GetString()} {m[1].GetString()}")];
}
