using Paddock.Engine.Checkpoints;

namespace Paddock.Engine.Tests.Checkpoints;

public sealed class GgufHostileTests : IDisposable
{
    private static readonly byte[] FourFloats = new byte[16];

    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void Counts_in_the_billions_in_a_small_file_are_refused()
    {
        AssertBad("a number of tensors of 4000000000 cannot fit", new() { ClaimedTensors = 4_000_000_000 });
        AssertBad("a number of tensors of 18446744073709551615 cannot fit", new() { ClaimedTensors = ulong.MaxValue });
        AssertBad("a number of metadata keys of 4000000000 cannot fit", new() { ClaimedKeys = 4_000_000_000 });
        AssertBad("the length of the value of 'k' of 4000000000 cannot fit", new GgufBuilder().RawKey("k", [8, 0, 0, 0, .. Number(4_000_000_000)]));
        AssertBad("the list 'k' of 4000000000 cannot fit", new GgufBuilder().RawKey("k", [9, 0, 0, 0, 8, 0, 0, 0, .. Number(4_000_000_000)]));
        AssertBad("the list 'k' of 2305843009213693953 cannot fit", new GgufBuilder().RawKey("k", [9, 0, 0, 0, 12, 0, 0, 0, .. Number((1UL << 61) + 1)]));
        AssertBad("the list 'k' of 65 cannot fit", new GgufBuilder().RawKey("k", [9, 0, 0, 0, 5, 0, 0, 0, .. Number(65), .. new byte[256]]));
    }

    [Fact]
    public void Metadata_that_breaks_the_format_is_refused()
    {
        AssertBad("not a GGUF file", new() { Magic = 0x46554748 });
        AssertBad("version 1 of the format is not supported", new() { Version = 1 });
        AssertBad("big endian", new() { Version = 3u << 24 });
        AssertBad("key 'k' has the unknown value type 13", new GgufBuilder().RawKey("k", 13, 0, 0, 0, 0));
        AssertBad("key 'k' has the unknown value type 99", new GgufBuilder().RawKey("k", 9, 0, 0, 0, 99, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0));
        AssertBad("'k' must be 0 or 1, not 2", new GgufBuilder().RawKey("k", 7, 0, 0, 0, 2));
        AssertBad("the metadata key 'k' appears twice", new GgufBuilder().Key("k", 1u).Key("k", 2u));
        AssertBad("a metadata key has 0 characters", new GgufBuilder().Key("", 1u));
        AssertBad("is not valid UTF-8", new GgufBuilder().RawKey("k", [8, 0, 0, 0, .. Number(2), 0xC3, 0x28]));
        byte[] nested = [9, 0, 0, 0];
        for (int depth = 0; depth < 1000; depth++)
            nested = [.. nested, 9, 0, 0, 0, .. Number(1)];
        AssertBad("nests lists deeper than 4", new GgufBuilder().RawKey("k", nested));
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(3u)]
    [InlineData(48u)]
    [InlineData(1u << 30)]
    [InlineData(uint.MaxValue)]
    public void An_alignment_must_be_a_sensible_power_of_two(uint alignment) =>
        AssertBad("general.alignment must be a power of two", new GgufBuilder().Key("general.alignment", alignment).RawTensor("t", [4], 0, FourFloats));

    [Fact]
    public void An_alignment_of_another_type_is_refused_and_a_good_one_is_followed()
    {
        AssertBad("general.alignment must be a power of two", new GgufBuilder().Key("general.alignment", "32").RawTensor("t", [4], 0, FourFloats));
        GgufBuilder builder = new GgufBuilder { Alignment = 8 }.Key("general.alignment", 8u).Tensor("a", [3], TensorFormat.Float32, [1, 2, 3]).Tensor("b", [1], TensorFormat.Float32, [4]);
        using GgufFile file = GgufFile.Open(_folder.Write("m.gguf", builder.Build()));
        float[] b = new float[1];
        file.ReadRows("b", 0, b);
        Assert.Equal([4f], b);
    }

    [Fact]
    public void Tensors_that_break_the_format_are_refused()
    {
        AssertBad("product in bytes below 2^63", new GgufBuilder().RawTensor("t", [1UL << 30, 1UL << 30, 1UL << 30], 0, FourFloats));
        AssertBad("product in bytes below 2^63", new GgufBuilder().RawTensor("t", [1UL << 31, 1UL << 31], 0, FourFloats));
        AssertBad("has a size of 18446744073709551615", new GgufBuilder().RawTensor("t", [ulong.MaxValue], 0, FourFloats));
        AssertBad("has a size of 0", new GgufBuilder().RawTensor("t", [4, 0], 0, FourFloats));
        AssertBad("has 5 dimensions", new GgufBuilder().RawTensor("t", [1, 1, 1, 1, 1], 0, FourFloats));
        AssertBad("has 0 dimensions", new GgufBuilder().RawTensor("t", [], 0, FourFloats));
        AssertBad("is stored as Q2_K, which cannot be read; use a GGUF in F32", new GgufBuilder().RawTensor("t", [256], 10, new byte[84]));
        AssertBad("rows of 32 values are not whole blocks of 256", new GgufBuilder().RawTensor("t", [32], 12, new byte[144]));
        AssertBad("is stored as type 1000", new GgufBuilder().RawTensor("t", [256], 1000, new byte[210]));
        AssertBad("rows of 33 values are not whole blocks of 32", new GgufBuilder().RawTensor("t", [33], 8, new byte[68]));
        AssertBad("the tensor 't' appears twice", new GgufBuilder().RawTensor("t", [4], 0, FourFloats).RawTensor("t", [4], 0, FourFloats));
        AssertBad("needs 20 bytes at 0 but only 16 follow", new GgufBuilder().RawTensor("t", [5], 0, FourFloats));
        AssertBad("a tensor's name has 0 characters", new GgufBuilder().RawTensor("", [4], 0, FourFloats));
    }

    [Theory]
    [InlineData(1UL, "not a multiple of the alignment 32")]
    [InlineData(0UL, "inside the tensor before it, which ends at 16")]
    [InlineData(64UL, "needs 16 bytes at 64 but only 48 follow")]
    [InlineData(ulong.MaxValue - 31, "needs 16 bytes at 18446744073709551584")]
    public void Offsets_are_compared_with_the_file_and_each_other(ulong offset, string message) =>
        AssertBad(message, new GgufBuilder { Offset = (name, given) => name == "b" ? offset : given }.RawTensor("a", [4], 0, FourFloats).RawTensor("b", [4], 0, FourFloats));

    [Fact]
    public void Metadata_of_another_type_than_asked_for_is_a_clear_error()
    {
        GgufBuilder builder = new GgufBuilder().Key("text", "x").Key("number", 1.5f).Key("nan", float.NaN).Key("big", ulong.MaxValue).Key("flag", true).Key("bytes", (sbyte[])[-1, 2]).Key("floats", (float[])[1]);
        using GgufFile file = GgufFile.Open(_folder.Write("m.gguf", builder.Build()));
        GgufMetadata metadata = file.Metadata;
        Assert.Equal([-1, 2], metadata.Ints("bytes")!); // declared narrower than it is asked for: converted, not reinterpreted
        Assert.Null(metadata.Int("absent"));
        AssertWrong("'text' must be a whole number below 2^31, not the text 'x'", () => metadata.Int("text"));
        AssertWrong("'number' must be a whole number below 2^31, not Single 1.5", () => metadata.Int("number"));
        AssertWrong("'flag' must be a whole number", () => metadata.Int("flag"));
        AssertWrong("'big' must be a whole number below 2^31", () => metadata.Int("big"));
        AssertWrong("'nan' must be a finite number, not Single NaN", () => metadata.Number("nan"));
        AssertWrong("'number' must be text", () => metadata.Text("number"));
        AssertWrong("'number' must be true or false", () => metadata.Flag("number"));
        AssertWrong("'bytes' must be a list of texts, not a list of 2 x SByte", () => metadata.Texts("bytes"));
        AssertWrong("'bytes' must be a list of float32 numbers", () => metadata.Numbers("bytes"));
        AssertWrong("'floats' must be a list of whole numbers", () => metadata.Ints("floats"));
        AssertWrong("'text' must be a list of whole numbers", () => metadata.Ints("text"));
        AssertWrong("the metadata key 'absent' is missing", () => metadata.RequiredInt("absent"));

        static void AssertWrong(string message, Func<object?> ask) => Assert.Contains(message, Assert.Throws<BadInputException>(ask).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_vocabulary_whose_lists_disagree_is_refused()
    {
        AssertVocabulary("no vocabulary", new());
        AssertVocabulary("'tokenizer.ggml.tokens' must be a list of texts", new GgufBuilder().Key("tokenizer.ggml.tokens", (int[])[1]));
        AssertVocabulary("'tokenizer.ggml.model' is missing", new GgufBuilder().Key("tokenizer.ggml.tokens", (string[])["a"]));
        AssertVocabulary("1 tokens but 2 token types", new GgufBuilder().Key("tokenizer.ggml.tokens", (string[])["a"]).Key("tokenizer.ggml.token_type", (int[])[1, 1]));
        AssertVocabulary("1 tokens but 2 scores", new GgufBuilder().Key("tokenizer.ggml.tokens", (string[])["a"]).Key("tokenizer.ggml.scores", (float[])[1, 1]));
        AssertVocabulary("eos_token_id 1 is outside", new GgufBuilder().Key("tokenizer.ggml.model", "gpt2").Key("tokenizer.ggml.tokens", (string[])["a"]).Key("tokenizer.ggml.eos_token_id", 1u));

        void AssertVocabulary(string message, GgufBuilder builder)
        {
            using GgufFile file = GgufFile.Open(_folder.Write("v.gguf", builder.Build()));
            Assert.Contains(message, Assert.Throws<BadInputException>(() => GgufTokenizer.From(file)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_file_cut_at_any_byte_is_bad_input()
    {
        byte[] whole = Small();
        for (int length = 0; length < whole.Length; length++)
        {
            string path = _folder.Write("cut", whole[..length]);
            Assert.Throws<BadInputException>(() => GgufFile.Open(path));
        }
    }

    [Fact]
    public void A_file_with_any_byte_changed_opens_or_is_bad_input()
    {
        byte[] whole = Small();
        int opened = 0;
        for (int i = 0; i < whole.Length; i++)
            foreach (byte change in (byte[])[0x01, 0x80, 0xFF])
            {
                byte[] changed = [.. whole];
                changed[i] ^= change;
                opened += OpensAndReads(_folder.Write("changed", changed)) ? 1 : 0;
            }
        Assert.InRange(opened, 1, 3 * whole.Length - 1);
    }

    public void Dispose() => _folder.Dispose();

    private static byte[] Small() => new GgufBuilder().Key("name", "llama").Key("list", (string[])["a", "bc"]).Key("ints", (int[])[1, 2]).Key("on", true).Key("x", 1.0)
        .Tensor("a", [2, 32], TensorFormat.Q4_1, [.. Enumerable.Range(0, 64).Select(i => (float)i)])
        .Tensor("b", [3], TensorFormat.Float32, [1, 2, 3])
        .Build();

    private static bool OpensAndReads(string path)
    {
        try
        {
            using GgufFile file = GgufFile.Open(path);
            foreach (TensorInfo tensor in file.Tensors.Values)
                file.ReadRows(tensor.Name, 0, new float[tensor.Count]);
            return true;
        }
        catch (BadInputException)
        {
            return false;
        }
    }

    private static byte[] Number(ulong value) => BitConverter.GetBytes(value);

    private void AssertBad(string message, GgufBuilder builder)
    {
        string path = _folder.Write("bad.gguf", builder.Build());
        BadInputException e = Assert.Throws<BadInputException>(() => GgufFile.Open(path));
        Assert.StartsWith(path, e.Message, StringComparison.Ordinal);
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
    }
}
