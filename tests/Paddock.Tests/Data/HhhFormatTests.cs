using Paddock.Data;
using Paddock.Data.Formats;
using Paddock.Engine;
using Paddock.Tests.Storage;

namespace Paddock.Tests.Data;

public class HhhFormatTests
{
    [Fact]
    public void The_conversation_is_read_out_of_the_judge_s_question()
    {
        using TemporaryFolder folder = new();
        string path = folder.Write("hhh.jsonl", """{"prompt":"\n\nConsider this:\n\nHuman: Hi\n\nAssistant: Hello.\n\nHuman: Why?\n\n\nPlease choose the response. Options:\n (A) [[[x]]]\n","corrects":[" (A)"],"incorrects":[" (B)"],"text_correct":"Because.","text_incorrect":"No."}""");
        Assert.True(HhhFormat.IsFormat(path));
        Preference row = Assert.Single(HhhFormat.Read(path));
        Assert.Equal([new("user", "Hi"), new("assistant", "Hello."), new("user", "Why?")], row.Prompt.Messages);
        Assert.Equal(("Because.", "No."), (row.Chosen.Text, row.Rejected.Text));
    }

    [Fact]
    public void A_row_without_a_turn_is_told()
    {
        using TemporaryFolder folder = new();
        string path = folder.Write("hhh.jsonl", """{"prompt":"Well?","text_correct":"a","text_incorrect":"b"}""");
        Assert.Contains("prompt: holds no turn that opens with", Assert.Throws<BadInputException>(() => HhhFormat.Read(path).ToList()).Message, StringComparison.Ordinal);
        Assert.False(HhhFormat.IsFormat(folder.Write("other.jsonl", """{"prompt":"Well?"}""")));
    }
}
