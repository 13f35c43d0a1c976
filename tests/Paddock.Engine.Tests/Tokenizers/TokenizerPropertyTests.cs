using Paddock.Engine.Tokenizers;

namespace Paddock.Engine.Tests.Tokenizers;

/// <summary>What holds for any text: round trips, both merge routes, threads, hostile lengths.</summary>
public sealed class TokenizerPropertyTests
{
    private static readonly Tokenizer Small = Tokenizer.Load(Path.Combine(TokenizerGoldens.Root, "gpt2"));

    [Fact]
    public void Saving_and_loading_changes_nothing()
    {
        foreach (string name in (string[])["gpt2", "smollm2"])
        {
            Tokenizer first = Tokenizer.Load(Path.Combine(TokenizerGoldens.Root, name));
            string file = Path.Combine(Directory.CreateTempSubdirectory("paddock-save").FullName, "tokenizer.json");
            first.Save(file);
            Tokenizer second = Tokenizer.Load(file);
            byte[] saved = File.ReadAllBytes(file);
            second.Save(file);
            Assert.Equal(saved, File.ReadAllBytes(file));
            Directory.Delete(Path.GetDirectoryName(file)!, recursive: true);
            foreach (string text in TokenizerGoldens.Strings.Values)
                Assert.Equal(first.Encode(text), second.Encode(text));
        }
    }

    [Fact]
    public void A_lone_surrogate_is_read_as_the_replacement_character()
    {
        Assert.Equal(Small.Encode("a\uFFFDb"), Small.Encode("a\uD800b"));
        Assert.Equal(Small.Encode("a\uFFFD"), Small.Encode("a\uDC00"));
    }

    [Fact]
    public void Long_words_merge_by_heap_as_short_ones_by_scan()
    {
        // All words of up to 40 letters over {a, b} that a counter spells, merged both ways.
        List<(int, int, int)> merges = [(0, 0, 2), (0, 1, 3), (1, 1, 4), (2, 2, 5), (3, 2, 6), (4, 3, 7), (5, 5, 8), (3, 3, 9), (2, 0, 10), (7, 7, 11)];
        MergeTable table = new(merges);
        BpeMerger merger = new();
        for (uint word = 1; word < 6000; word++)
        {
            int length = 2 + (int)(word % 39);
            int[] letters = new int[length];
            for (int i = 0; i < length; i++)
                letters[i] = (int)((word * 2654435761u) >> (i % 29)) & 1;
            letters.CopyTo(merger.Reserve(length), 0);
            int[] scanned = merger.Ids[..merger.MergeByScan(length, table)];
            letters.CopyTo(merger.Ids, 0);
            int[] heaped = merger.Ids[..merger.MergeByHeap(length, table)];
            Assert.Equal(scanned, heaped);
        }
    }

    [Theory]
    [InlineData("a", 1_000_000)]
    [InlineData(" ", 200_000)]
    [InlineData("\n", 200_000)]
    [InlineData("日", 100_000)]
    [InlineData("<|endoftext|", 20_000)]
    public void Very_many_of_one_thing_round_trip(string unit, int count)
    {
        string text = string.Concat(Enumerable.Repeat(unit, count));
        Assert.Equal(text, Small.Decode(Small.Encode(text)));
    }

    [Fact]
    public void Encoding_again_and_on_many_threads_gives_the_same_ids()
    {
        string[] texts = [.. TokenizerGoldens.Strings.Values];
        int[][] once = [.. texts.Select(t => Small.Encode(t))];
        Thread[] threads = [.. Enumerable.Range(0, 4).Select(_ => new Thread(() =>
        {
            for (int round = 0; round < 3; round++)
                for (int i = 0; i < texts.Length; i++)
                    if (!Small.Encode(texts[i]).AsSpan().SequenceEqual(once[i]))
                        Interlocked.Increment(ref _differences);
        }))];
        foreach (Thread thread in threads)
            thread.Start();
        foreach (Thread thread in threads)
            thread.Join();
        Assert.Equal(0, _differences);
    }

    private int _differences;

    [Fact]
    public void A_warm_encode_into_a_list_allocates_nothing()
    {
        List<int> ids = new(1000);
        string text = "The quick brown fox jumps over the lazy dog, and the dog doesn't mind. 12345";
        for (int i = 0; i < 50; i++)
        {
            ids.Clear();
            Small.Encode(text, ids);
        }
        long before = GC.GetAllocatedBytesForCurrentThread();
        ids.Clear();
        Small.Encode(text, ids);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void A_stream_of_broken_bytes_holds_back_and_then_shows_replacements()
    {
        Tokenizer bytes = BpeTrainer.Train([], new BpeTrainerSettings(256));
        int[] ids = bytes.Encode("你");
        StreamingDecoder stream = new(bytes);
        Assert.Null(stream.Push(ids[0]));
        Assert.Null(stream.Push(ids[1]));
        Assert.Equal("你", stream.Push(ids[2]));
        Assert.Null(stream.Push(ids[0]));
        Assert.Null(stream.Push(999_999));
        Assert.Equal("\uFFFD", stream.Flush());
        Assert.Equal("", stream.Flush());
    }

    [Fact]
    public void Ids_and_tokens_map_both_ways()
    {
        for (int id = 0; id < Small.VocabularySize; id++)
            Assert.Equal(id, Small.TokenToId(Small.IdToToken(id)!));
        Assert.Null(Small.IdToToken(Small.VocabularySize));
        Assert.Null(Small.IdToToken(-1));
        Assert.Null(Small.TokenToId("no such token"));
        Assert.True(Small.IsSpecial(0));
        Assert.False(Small.IsSpecial(1));
    }
}
