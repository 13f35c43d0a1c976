using Paddock.Storage;

namespace Paddock.Tests.Storage;

public class AtomicFileTests
{
    [Fact]
    public void A_file_replaces_the_old_one_and_leaves_nothing_beside_it()
    {
        using TemporaryFolder folder = new();
        string path = folder.File("a/b/file.txt");
        AtomicFile.WriteText(path, "one");
        AtomicFile.WriteText(path, "zwei é");
        Assert.Equal("zwei é", File.ReadAllText(path));
        Assert.NotEqual(0xEF, File.ReadAllBytes(path)[0]);
        Assert.Single(Directory.GetFiles(Path.GetDirectoryName(path)!));
    }

    [Fact]
    public void A_writer_that_fails_changes_nothing()
    {
        using TemporaryFolder folder = new();
        string path = folder.Write("file.txt", "old");
        Assert.Throws<InvalidOperationException>(() => AtomicFile.Write(path, stream =>
        {
            stream.Write("new"u8);
            throw new InvalidOperationException();
        }));
        Assert.Equal("old", File.ReadAllText(path));
        Assert.Single(Directory.GetFiles(folder.Path));
    }

    [Fact]
    public async Task A_cancelled_writer_changes_nothing()
    {
        using TemporaryFolder folder = new();
        string path = folder.File("file.txt");
        using CancellationTokenSource source = new();
        await Assert.ThrowsAsync<OperationCanceledException>(() => AtomicFile.WriteAsync(path, async (stream, cancellation) =>
        {
            await stream.WriteAsync("new"u8.ToArray(), cancellation);
            await source.CancelAsync();
        }, source.Token));
        Assert.Empty(Directory.GetFiles(folder.Path));
    }
}
