using System.Text;
using Paddock.Engine;
using Paddock.Studies;

namespace Paddock.Tests.Studies.Recipes;

/// <summary>Files that only pretend to be recipes end in one clear message, quickly.</summary>
public class HostileRecipeTests
{
    private static string ErrorOf(string yaml) => Assert.Throws<BadInputException>(() => StudyBench.Read(yaml)).Message;

    [Theory]
    [InlineData("", "test.yaml:1: the recipe is empty")]
    [InlineData("# nothing\n", "test.yaml:1: the recipe is empty")]
    [InlineData("just text", "test.yaml:1: expected keys below it, found 'just text'")]
    [InlineData("- a\n- b", "test.yaml:1: expected keys below it, found a list")]
    [InlineData("study: &a s\nseed: 1", "test.yaml:1: anchors and aliases are not part of recipes: write the value out, or use 'variables:'")]
    [InlineData("study: s\nseed: *a", "test.yaml:2: anchors and aliases are not part of recipes: write the value out, or use 'variables:'")]
    [InlineData("study: !!binary aGk=", "test.yaml:1: tags such as 'tag:yaml.org,2002:binary' are not part of recipes: leave it out")]
    [InlineData("study: !System.IO.FileInfo /etc/passwd", "test.yaml:1: tags such as '!System.IO.FileInfo' are not part of recipes: leave it out")]
    [InlineData("study: s\n---\nstudy: t", "test.yaml:2: a second document begins here; a recipe is one document")]
    [InlineData("? [a]\n: b", "test.yaml:1: a key is plain text, not a list or a map")]
    public void Foreign_features_of_yaml_are_refused(string yaml, string message) => Assert.Equal(message, ErrorOf(yaml));

    [Fact]
    public void Broken_yaml_names_the_line() => Assert.StartsWith("test.yaml:3: not valid YAML: ", ErrorOf("study: s\nseed: [1, 2\n"));

    [Fact]
    public void Tabs_as_indentation_name_the_line() => Assert.Equal("test.yaml:2: indented with a tab; YAML indents with spaces", ErrorOf("study:\n\ta: b\n"));

    [Fact]
    public void An_alias_bomb_does_not_expand()
    {
        StringBuilder bomb = new("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
        for (int i = 1; i < 30; i++)
            bomb.Append($"a{i}: &a{i} [{string.Join(", ", Enumerable.Repeat($"*a{i - 1}", 9))}]\n");
        Assert.Contains("anchors and aliases are not part of recipes", ErrorOf(bomb.ToString()));
    }

    [Theory]
    [InlineData("[", 200_000)]
    [InlineData("{a: ", 100_000)]
    [InlineData("- ", 200_000)]
    [InlineData("? ", 200_000)]
    public void Deep_nesting_does_not_exhaust_the_stack(string open, int times) =>
        Assert.Contains("nested more than 24 deep", ErrorOf("study: s\nstages:\n  " + string.Concat(Enumerable.Repeat(open, times))));

    [Fact]
    public void A_large_file_is_refused_unread()
    {
        string path = Path.GetTempFileName();
        File.WriteAllText(path, "study: s\n#" + new string('x', 1 << 20));
        string message = Assert.Throws<BadInputException>(() => new RecipeReader(StudyBench.Table).ReadFile(path)).Message;
        File.Delete(path);
        Assert.Equal($"{path}: larger than 1 MB, so hardly a recipe", message);
    }

    [Fact]
    public void Binary_files_are_refused()
    {
        string path = Path.GetTempFileName();
        File.WriteAllBytes(path, [0xff, 0xfe, 0x00, 0x80]);
        string message = Assert.Throws<BadInputException>(() => new RecipeReader(StudyBench.Table).ReadFile(path)).Message;
        File.Delete(path);
        Assert.Equal($"{path}: not UTF-8 text, so not a recipe", message);
    }

    [Fact]
    public void A_missing_file_is_named() =>
        Assert.Equal("no/such.yaml: no such recipe", Assert.Throws<BadInputException>(() => new RecipeReader(StudyBench.Table).ReadFile("no/such.yaml")).Message);

    [Fact]
    public void Thousands_of_mistakes_are_told_briefly()
    {
        string yaml = "study: s\nseed: 1\nstages:\n" + string.Concat(Enumerable.Range(0, 5000).Select(i => $"  - zzzzzzzz{i}: {{name: a{i}}}\n"));
        string message = ErrorOf(yaml);
        Assert.StartsWith("5000 things are wrong with test.yaml:", message);
        Assert.EndsWith("... and 4970 more", message);
        Assert.True(message.Length < 10_000);
    }

    [Fact]
    public void Random_bytes_end_in_one_error()
    {
        Engine.Numerics.RandomStream random = new(1, "hostile yaml");
        const string Alphabet = "abc:-[]{}#&*!|>'\"%@`,?\n \t$0~.";
        for (int i = 0; i < 3000; i++)
        {
            char[] text = new char[random.NextInt(80)];
            for (int j = 0; j < text.Length; j++)
                text[j] = Alphabet[random.NextInt(Alphabet.Length)];
            Assert.Throws<BadInputException>(() => StudyBench.Read(new string(text)));
        }
    }
}
