namespace Paddock.Engine.Tests.Checkpoints;

public class WholeFileTests
{
    [Fact]
    public void A_file_replaces_the_old_one_and_leaves_nothing_beside_it()
    {
        using TemporaryFolder folder = new();
        string path = folder["a/b/file.txt"];
        WholeFile.WriteText(path, "one");
        WholeFile.WriteText(path, "zwei \u00e9");
        Assert.Equal("zwei \u00e9", File.ReadAllText(path));
        Assert.NotEqual(0xEF, File.ReadAllBytes(path)[0]);
        Assert.Single(Directory.GetFiles(Path.GetDirectoryName(path)!));
    }

    [Fact]
    public void A_writer_that_fails_changes_nothing()
    {
        using TemporaryFolder folder = new();
        string path = folder.Write("file.txt", "old");
        Assert.Throws<InvalidOperationException>(() => WholeFile.Write(path, stream =>
        {
            stream.Write("new"u8);
            throw new InvalidOperationException();
        }));
        Assert.Equal("old", File.ReadAllText(path));
        Assert.Single(Directory.GetFiles(folder.Path));
    }

    [Fact]
    public void A_folder_appears_whole_and_replaces_nothing_but_an_empty_one()
    {
        using TemporaryFolder folder = new();
        string target = folder["model"];
        Directory.CreateDirectory(target);
        Assert.Throws<InvalidOperationException>(() => WholeFile.WriteFolder(target, half =>
        {
            File.WriteAllText(Path.Combine(half, "x"), "1");
            throw new InvalidOperationException();
        }));
        Assert.Empty(Directory.GetFileSystemEntries(target));
        WholeFile.WriteFolder(target, half =>
        {
            File.WriteAllText(Path.Combine(half, "x"), "1");
            Assert.Empty(Directory.GetFileSystemEntries(target));
        });
        Assert.Equal("1", File.ReadAllText(Path.Combine(target, "x")));
        Assert.Equal($"{target} exists already; choose another folder or remove it first", Assert.Throws<BadInputException>(() => WholeFile.WriteFolder(target, _ => { })).Message);
        Assert.Single(Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public void Leftovers_of_a_kill_are_deleted_and_nothing_else()
    {
        using TemporaryFolder folder = new();
        folder.Write(".file.txt.7-1.partial", "half");
        folder.Write(".model.7-2.partial/weights", "half");
        folder.Write("partial.txt", "whole");
        WholeFile.DeleteLeftovers(folder.Path);
        Assert.Equal(["partial.txt"], Directory.GetFileSystemEntries(folder.Path).Select(Path.GetFileName));
    }
}
