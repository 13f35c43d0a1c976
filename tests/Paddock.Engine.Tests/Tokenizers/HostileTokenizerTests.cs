using System.Text;
using Paddock.Engine.Tokenizers;

namespace Paddock.Engine.Tests.Tokenizers;

/// <summary>A tokenizer.json from a stranger is answered by one message that names what is wrong.</summary>
public sealed class HostileTokenizerTests
{
    private const string Pre = """ "pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},"decoder":{"type":"ByteLevel"} """;

    [Theory]
    [InlineData("""{"a":-1}""", "[]", "token 'a' has id -1")]
    [InlineData("""{"a":2000000000}""", "[]", "token 'a' has id 2000000000")]
    [InlineData("""{"a":99999999999}""", "[]", "the id of 'a' must be a whole number")]
    [InlineData("""{"a":1.5}""", "[]", "the id of 'a' must be a whole number")]
    [InlineData("""{"a":"1"}""", "[]", "the id of 'a' must be a whole number")]
    [InlineData("""{"a":0,"b":0}""", "[]", "tokens 'a' and 'b' have the same id 0")]
    [InlineData("""{"a":0,"a":1}""", "[]", "token 'a' is there twice")]
    [InlineData("""{"a":0,"b":1}""", """["a b"]""", "merge 0 needs the token 'ab'")]
    [InlineData("""{"a":0,"b":1}""", """[["a","c"]]""", "merge 0 needs the token 'c'")]
    [InlineData("""{"a":0,"b":1}""", """["a  b"]""", "merge 0 must be two tokens with one space")]
    [InlineData("""{"a":0,"b":1}""", """["ab"]""", "merge 0 must be two tokens with one space")]
    [InlineData("""{"a":0,"b":1}""", """[["a","b","c"]]""", "merge 0 must be two strings")]
    [InlineData("""{"a":0,"b":1}""", """[7]""", "merge 0 must be two strings")]
    [InlineData("""[]""", "[]", "'vocab' must be of kind Object")]
    [InlineData("""{}""", """{}""", "'merges' must be of kind Array")]
    [InlineData("""{"\ud800":0}""", "[]", "malformed JSON")]
    public void A_bad_vocabulary_or_merge_is_named(string vocabulary, string merges, string message) =>
        Refused($$"""{"model":{"type":"BPE","vocab":{{vocabulary}},"merges":{{merges}}},{{Pre}}}""", message);

    [Theory]
    [InlineData(""" "dropout":0.1 """, "dropout is not supported")]
    [InlineData(""" "byte_fallback":true """, "byte_fallback is not supported")]
    [InlineData(""" "end_of_word_suffix":"</w>" """, "end_of_word_suffix is not supported")]
    [InlineData(""" "unk_token":"<unk>" """, "unk_token '<unk>' is not in the vocabulary")]
    [InlineData(""" "unk_token":5 """, "'unk_token' must be a string")]
    [InlineData(""" "ignore_merges":"yes" """, "'ignore_merges' must be true or false")]
    public void An_unsupported_option_is_named(string option, string message) =>
        Refused($$"""{"model":{"type":"BPE","vocab":{"a":0},"merges":[],{{option}}},{{Pre}}}""", message);

    [Theory]
    [InlineData(""" "pre_tokenizer":{"type":"Metaspace"} """, "pre_tokenizer 'Metaspace' is not supported")]
    [InlineData(""" "pre_tokenizer":null """, "BPE without a ByteLevel pre_tokenizer")]
    [InlineData(""" "pre_tokenizer":{} """, "'type' is missing")]
    [InlineData(""" "pre_tokenizer":7 """, "expected an object")]
    [InlineData(""" "pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Sequence","pretokenizers":[]}]} """, "pre_tokenizer 'Sequence' is not supported")]
    [InlineData(""" "pre_tokenizer":{"type":"Split","pattern":{"Regex":"(a+)+$"},"behavior":"Isolated","invert":false} """, "the pattern '(a+)+$' is not one of those supported")]
    [InlineData(Pre + ""","normalizer":{"type":"Replace","pattern":{"Regex":"a"},"content":""} """, "only a pattern that is a String")]
    [InlineData(Pre + ""","normalizer":{"type":"Lowercase"} """, "normalizer 'Lowercase' is not supported")]
    [InlineData(""" "pre_tokenizer":{"type":"ByteLevel"},"decoder":{"type":"WordPiece"} """, "decoder 'WordPiece' is not supported")]
    [InlineData(Pre + ""","post_processor":{"type":"BertProcessing"} """, "post_processor 'BertProcessing' is not supported")]
    [InlineData(Pre + ""","post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"x"}}],"special_tokens":{}} """, "'x' is missing")]
    [InlineData(Pre + ""","post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"x"}}],"special_tokens":{"x":{"ids":[-4]}}} """, "id -4 is out of range")]
    [InlineData(Pre + ""","post_processor":{"type":"RobertaProcessing","cls":["a",3],"sep":["a",0]} """, "'a' does not have the id 3")]
    [InlineData(Pre + ""","added_tokens":[{"id":-1,"content":"x","special":true}] """, "added token 'x' has id -1")]
    [InlineData(Pre + ""","added_tokens":[{"id":2000000000,"content":"x","special":true}] """, "added token 'x' has id 2000000000")]
    [InlineData(Pre + ""","added_tokens":[{"id":0,"content":"x","special":true}] """, "added token 'x' has the id 0 of 'a'")]
    [InlineData(Pre + ""","added_tokens":[{"id":5,"content":"a","special":true}] """, "added token 'a' is there twice")]
    [InlineData(Pre + ""","added_tokens":[{"id":5,"special":true}] """, "added_tokens[0]: 'content' is missing")]
    [InlineData(Pre + ""","added_tokens":{} """, "'added_tokens' must be an array")]
    public void A_bad_part_is_named(string parts, string message) =>
        Refused($$"""{"model":{"type":"BPE","vocab":{"a":0},"merges":[]},{{parts}}}""", message);

    [Theory]
    [InlineData("", "malformed JSON")]
    [InlineData("[", "malformed JSON")]
    [InlineData("[]", "expected an object")]
    [InlineData("null", "expected an object")]
    [InlineData("{}", "'model' is missing")]
    [InlineData("""{"model":{"type":"Unigram"}}""", "type 'Unigram' is not supported")]
    [InlineData("""{"model":{}}""", "type '' is not supported")]
    public void A_file_that_is_no_tokenizer_is_named(string json, string message) => Refused(json, message);

    [Fact]
    public void Deep_nesting_is_refused() => Refused("{\"model\":" + new string('[', 100_000), "malformed JSON");

    [Fact]
    public void A_long_token_is_cut_in_the_message() =>
        Assert.True(Refused($$$"""{"model":{"type":"BPE","vocab":{"{{{new string('x', 100_000)}}}":-1},"merges":[]},{{{Pre}}}}""", "ids must be from 0").Length < 400);

    [Fact]
    public void Bytes_without_a_token_are_dropped_as_the_reference_does()
    {
        string json = $$"""{"model":{"type":"BPE","vocab":{"a":0,"b":1},"merges":[]},{{Pre}}}""";
        Assert.Equal([0, 1], Load(json).Encode("azb"));
        Assert.Equal([0, 2, 1], Load(json.Replace("\"b\":1", "\"b\":1,\"?\":2", StringComparison.Ordinal)
            .Replace("\"merges\"", "\"unk_token\":\"?\",\"merges\"", StringComparison.Ordinal)).Encode("azb"));
    }

    [Fact]
    public void A_normalizer_rewrites_the_text_first()
    {
        const string Steps = """[{"type":"Replace","pattern":{"String":"x"},"content":"y"},{"type":"Replace","pattern":{"String":"yy"},"content":"b"}]""";
        string json = """{"model":{"type":"BPE","vocab":{"a":0,"b":1},"merges":[]},"normalizer":{"type":"Sequence","normalizers":""" + Steps + "}," + Pre + "}";
        Assert.Equal([1, 0], Load(json).Encode("xya"));
    }

    [Fact]
    public void A_missing_file_is_named() =>
        Assert.Contains("expected tokenizer.json, or vocab.json with merges.txt",
            Assert.Throws<BadInputException>(() => Tokenizer.Load("/no/such/folder")).Message, StringComparison.Ordinal);

    [Fact]
    public void Gguf_arrays_that_do_not_fit_are_named()
    {
        Gguf("there twice", () => Tokenizer.FromGguf(["a", "a"], [], null, "gpt-2"));
        Gguf("2 tokens but 1 token types", () => Tokenizer.FromGguf(["a", "b"], [], [1], "gpt-2"));
        Gguf("'mystery' is not supported", () => Tokenizer.FromGguf(["a"], [], null, "mystery"));
        Gguf("bos_token_id 9 is out of range", () => Tokenizer.FromGguf(["a"], [], null, "gpt-2", new GgufSpecials(BosId: 9)));
        Gguf("add_bos_token without bos_token_id", () => Tokenizer.FromGguf(["a"], [], null, "gpt-2", new GgufSpecials(AddBos: true)));
        Gguf("merge 0 must be two tokens", () => Tokenizer.FromGguf(["a"], ["aa"], null, "gpt-2"));
        Assert.Equal([0, 1], Tokenizer.FromGguf(["<s>", "a"], [], [3, 1], "gpt-2", new GgufSpecials(BosId: 0, AddBos: true)).Encode("a"));

        static void Gguf(string message, Func<Tokenizer> build) =>
            Assert.Contains(message, Assert.Throws<BadInputException>(build).Message, StringComparison.Ordinal);
    }

    private static string Refused(string json, string message)
    {
        string actual = Assert.Throws<BadInputException>(() => Load(json)).Message;
        Assert.Contains(message, actual, StringComparison.Ordinal);
        return actual;
    }

    private static Tokenizer Load(string json)
    {
        string folder = Directory.CreateTempSubdirectory("paddock-hostile").FullName;
        try
        {
            File.WriteAllBytes(Path.Combine(folder, "tokenizer.json"), Encoding.UTF8.GetBytes(json));
            return Tokenizer.Load(folder);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
