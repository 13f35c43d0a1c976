using System.Text.Json;
using Paddock.Data.Formats;
using Paddock.Judging;
using Paddock.Judging.AlpacaEval;
using Paddock.Judging.Clients;
using Paddock.Tests.Shared;

namespace Paddock.Tests.Judging;

public sealed class AlpacaEvalDataTests
{
    // 12 models of the public leaderboard: preferences from the raw log-probs and the order that the instruction seeds
    [SharedFact]
    public void Every_published_preference_is_reproduced()
    {
        ReplyParser parser = new(new(ParserKind.LogProb, "m", "M", Strict: true), "alpaca");
        int rows = 0, same = 0;
        foreach (string folder in Directory.EnumerateDirectories(SharedFolder.Get("data", "alpaca_eval2", "models")))
            foreach (AlpacaEvalAnnotation row in AlpacaEvalAnnotationFormat.Read(Path.Combine(folder, "annotations.json.gz")))
            {
                if (row.Output1 == row.Output2)
                {
                    Assert.Equal(1.5, row.Preference);
                    same++;
                    continue;
                }
                if (row.RawCompletion == null || row.Preference == null)
                    continue;
                using JsonDocument raw = JsonDocument.Parse(row.RawCompletion);
                double shown = parser.Parse(new("", OpenAiChatClient.LogProbs(raw.RootElement))).Value!.Value;
                // files keep 10 digits
                Assert.InRange((SeededDraws.IsSwitched(row.Instruction, 0) ? 3 - shown : shown) - row.Preference.Value, -1e-8, 1e-8);
                rows++;
            }
        Assert.Equal((9625, 26), (rows, same));
    }
}
