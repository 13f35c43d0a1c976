using Paddock.Data;
using Paddock.Data.Formats;
using Paddock.Engine;
using Paddock.Tests.Storage;
using Paddock.Worlds;

namespace Paddock.Tests.Stages;

public sealed class FileWorldTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Prompts_of_any_file_are_each_there_once()
    {
        string pairs = _folder.File("pairs.jsonl");
        PreferenceFormat.Write(pairs, [Pair("a", "one"), Pair("b", "two"), Pair("c", "one")]);
        string answers = _folder.Write("answers.jsonl", """
            {"instruction": "say hello", "output": "hello"}
            {"instruction": "say bye", "output": "bye"}
            """);
        FileWorld world = new(new Dictionary<string, string> { ["preference"] = pairs, ["evaluation"] = answers });
        Assert.Equal(["one", "two"], world.Prompts("preference").Select(p => p.Instruction));
        Assert.Equal(3, world.Preferences("preference").Count);
        Assert.Equal(["say hello", "say bye"], world.Prompts("evaluation").Select(p => p.Instruction));
        Assert.Equal(["hello", "bye"], world.References("evaluation").Select(r => r.Text));
        Assert.Equal(["preference", "evaluation"], world.Splits);
        Assert.Same(world.Preferences("preference"), world.Preferences("preference"));
        Assert.Empty(world.Measure(world.Prompts("evaluation")[0], new Response("hello")));
        Assert.Empty(world.Annotators);
    }

    [Fact]
    public void References_stay_beside_their_prompts_when_a_prompt_is_there_twice()
    {
        string answers = _folder.Write("answers.jsonl", """
            {"instruction": "say hello", "output": "hello"}
            {"instruction": "say hello", "output": "hello again"}
            {"instruction": "say bye", "output": "bye"}
            """);
        FileWorld world = new(new Dictionary<string, string> { ["evaluation"] = answers });
        Assert.Equal(["say hello", "say bye"], world.Prompts("evaluation").Select(p => p.Instruction));
        Assert.Equal(["hello", "bye"], world.References("evaluation").Select(r => r.Text));
    }

    [Fact]
    public void The_fingerprint_is_that_of_the_content()
    {
        string text = "{\"prompt\": \"a\", \"chosen\": \"b\", \"rejected\": \"c\"}\n";
        string one = _folder.Write("one.jsonl", text), same = _folder.Write("same.jsonl", text), other = _folder.Write("other.jsonl", text.Replace('b', 'd'));
        string expected = Fingerprint("preference", one);
        Assert.Equal(expected, Fingerprint("preference", same));
        Assert.NotEqual(expected, Fingerprint("preference", other));
        Assert.NotEqual(expected, Fingerprint("evaluation", one)); // what a file is for matters
        Assert.Equal(new FileWorld(new Dictionary<string, string> { ["a"] = one, ["b"] = other }).Fingerprint, new FileWorld(new Dictionary<string, string> { ["b"] = other, ["a"] = one }).Fingerprint);
    }

    [Fact]
    public void What_is_not_there_is_said()
    {
        string empty = _folder.Write("empty.jsonl", ""), missing = _folder.File("missing.jsonl");
        Assert.Equal($"data: the file of split 'sft' is not there: {missing}", Message(() => Assert.NotNull(new FileWorld(new Dictionary<string, string> { ["sft"] = missing }))));
        string pairs = _folder.File("pairs.jsonl");
        PreferenceFormat.Write(pairs, [Pair("a", "one")]);
        FileWorld world = new(new Dictionary<string, string> { ["preference"] = pairs, ["sft"] = empty });
        Assert.Equal("the recipe's data has no file for split 'evaluation'; it has preference, sft", Message(() => world.Prompts("evaluation")));
        Assert.Contains(empty, Message(() => world.Demonstrations("sft")));
        Assert.Contains("holds Preference rows where answers to learn are needed", Message(() => world.References("preference")));
        Assert.Equal("there is no annotator 'gold': files have none; give 'judges' with the stage of a reward model", Message(() => world.Annotator("gold", new AnnotatorOptions(1, true))));
    }

    private static Preference Pair(string id, string instruction) => new(Prompt.FromInstruction(id, instruction), new Response("yes " + id), new Response("no"));

    private static string Fingerprint(string split, string path) => new FileWorld(new Dictionary<string, string> { [split] = path }).Fingerprint;

    private static string Message(Action act) => Assert.Throws<BadInputException>(act).Message;
}
