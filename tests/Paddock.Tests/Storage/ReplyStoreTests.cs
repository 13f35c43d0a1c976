using Paddock.Engine;
using Paddock.Storage;

namespace Paddock.Tests.Storage;

public sealed class ReplyStoreTests
{
    [Fact]
    public void The_first_reply_under_a_key_stays_unless_it_is_replaced()
    {
        using TemporaryFolder folder = new();
        using ReplyStore store = ReplyStore.Open(folder.File("a/replies.db"));
        Assert.Null(store.Find("k"));
        Assert.Equal("one", store.Add("k", "one"));
        Assert.Equal("one", store.Add("k", "two"));
        Assert.Equal("three", store.Add("k", "three", replace: true));
        Assert.Equal(("three", 1L), (store.Find("k"), store.Count()));
    }

    [Fact]
    public void Two_processes_worth_of_connections_share_replies_and_spending()
    {
        using TemporaryFolder folder = new();
        using ReplyStore one = ReplyStore.Open(folder.File("replies.db")), two = ReplyStore.Open(folder.File("replies.db"));
        Parallel.For(0, 400, i =>
        {
            ReplyStore store = i % 2 == 0 ? one : two;
            store.Add($"{i / 2}", $"by {i % 2}");
            store.Spend("judge", 0.25);
        });
        Assert.Equal((200L, 200L, 100.0, 100.0), (one.Count(), two.Count(), one.Spent("judge"), two.Spent("judge")));
        for (int i = 0; i < 200; i++)
            Assert.Equal(one.Find($"{i}"), two.Find($"{i}"));
        Assert.Equal(0, one.Spent("other"));
    }

    [Fact]
    public void What_was_kept_is_there_after_opening_again()
    {
        using TemporaryFolder folder = new();
        using (ReplyStore store = ReplyStore.Open(folder.File("replies.db")))
            store.Add("k", "日本 \0 {}");
        using ReplyStore again = ReplyStore.Open(folder.File("replies.db"));
        Assert.Equal("日本 \0 {}", again.Find("k"));
    }

    [Fact]
    public void A_file_that_is_no_store_is_an_error_that_names_it()
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder.File("replies.db"), string.Concat(Enumerable.Repeat("this is no database\n", 100)));
        BadInputException error = Assert.Throws<BadInputException>(() => ReplyStore.Open(folder.File("replies.db")));
        Assert.Contains("replies.db: cannot be used as a store of replies", error.Message, StringComparison.Ordinal);
    }
}
