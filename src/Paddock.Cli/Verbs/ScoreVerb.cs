using System.CommandLine;
using System.Text;
using System.Text.Json;
using Paddock.Cli.Models;
using Paddock.Cli.Terminal;
using Paddock.Data.Formats;
using Paddock.Engine;
using Paddock.Engine.Sampling;
using Spectre.Console;

namespace Paddock.Cli.Verbs;

/// <summary><c>paddock score</c>: the log-prob of every token of every row given the tokens before it.</summary>
internal static class ScoreVerb
{
    public static Command Create()
    {
        ModelOptions model = new();
        InputRows input = new("Rows with a 'text' or with 'tokens' (ids): JSONL or a JSON array.");
        Option<int> batch = new("--batch-tokens") { Description = "Tokens read ahead and scored together; changes speed and memory only.", DefaultValueFactory = _ => 8192 };
        Option<bool> plain = new("--no-special-tokens") { Description = "Adds no special tokens to a text." };
        Option<bool> json = CommonOptions.Json("Prints a row for every row: {\"tokens\": [...], \"logprobs\": [null, ...]}, in nats.");
        Command command = new("score", "Score texts with a model: the log-prob of every token.") { batch, plain, json };
        model.AddTo(command);
        input.AddTo(command);
        command.SetAction((parsed, stop) => Task.Run(() =>
        {
            int batchTokens = parsed.GetValue(batch);
            if (batchTokens < 1)
                throw new BadInputException($"--batch-tokens must be at least 1, not {batchTokens}");
            using FrontDoor door = model.OpenDoor(parsed);
            using LoadedModel loaded = LoadedModel.Open(door, model.Model(parsed), new SamplerSettings(MaxConcurrent: 1, MaxRows: Math.Min(batchTokens, PassRows)));
            Totals totals = new();
            long begun = door.Services.Time.GetTimestamp();
            // one text that was typed: every token is what was asked for
            RowFormat format = parsed.GetValue(json) ? RowFormat.Json : input.IsTyped(parsed) ? RowFormat.Text : RowFormat.None;
            using (OutputRows output = new(format))
                Score(loaded, input.Read(parsed, row => new Scored(row, loaded, !parsed.GetValue(plain))), batchTokens, output, totals, stop);
            Show(totals, door.Services.Time.GetElapsedTime(begun), Screen.Result(parsed.GetValue(json)));
            return ExitCodes.Done;
        }, CancellationToken.None));
        return command;
    }

    // positions of one pass through the model: beyond some hundreds, wider passes are no faster
    private const int PassRows = 512;

    private static void Score(LoadedModel model, IEnumerable<Scored> rows, int batchTokens, OutputRows output, Totals totals, CancellationToken stop)
    {
        List<ReadOnlyMemory<int>> chunk = [];
        int tokens = 0;
        try
        {
            foreach (Scored row in rows)
            {
                if (chunk.Count > 0 && tokens + row.Tokens.Length > batchTokens)
                    ScoreChunk();
                chunk.Add(row.Tokens);
                tokens += row.Tokens.Length;
            }
        }
        catch (BadInputException) when (chunk.Count > 0)
        {
            ScoreChunk(); // the rows before the bad one
            throw;
        }
        if (chunk.Count > 0)
            ScoreChunk();

        void ScoreChunk()
        {
            IReadOnlyList<float[]> scores = model.Sampler.Score(chunk, stop);
            for (int i = 0; i < scores.Count; i++)
            {
                float[] logProbs = scores[i];
                ReadOnlyMemory<int> ids = chunk[i];
                totals.Add(logProbs);
                output.Write(json => Write(json, ids.Span, logProbs), () => Lines(model, ids.Span, logProbs));
            }
            output.Flush();
            chunk.Clear();
            tokens = 0;
        }
    }

    private static void Write(Utf8JsonWriter json, ReadOnlySpan<int> ids, ReadOnlySpan<float> logProbs)
    {
        json.WriteStartArray("tokens"u8);
        foreach (int id in ids)
            json.WriteNumberValue(id);
        json.WriteEndArray();
        json.WriteStartArray("logprobs"u8);
        for (int i = 0; i < logProbs.Length; i++)
            if (i == 0)
                json.WriteNullValue(); // the first token has none
            else if (float.IsFinite(logProbs[i]))
                json.WriteNumberValue(logProbs[i]);
            else
                throw new BadInputException($"the log-prob of token {i} is not a number; the model's weights are damaged or its training diverged");
        json.WriteEndArray();
    }

    private static string Lines(LoadedModel model, ReadOnlySpan<int> ids, float[] logProbs)
    {
        StringBuilder lines = new("log-prob      id  token\n");
        for (int i = 0; i < ids.Length; i++)
            lines.Append($"{(i == 0 ? "" : $"{logProbs[i]:0.000}"),8}  {ids[i],6}  {Visible(model.Tokenizer.Decode([ids[i]], false))}\n");
        return lines.ToString();
    }

    // blanks and line ends belong to tokens
    private static string Visible(string token) => token.Replace("\n", "\\n", StringComparison.Ordinal).Replace(' ', '\u00B7');

    private static void Show(Totals totals, TimeSpan elapsed, IAnsiConsole console)
    {
        double mean = totals.Scored > 0 ? totals.Sum / totals.Scored : double.NaN;
        Table table = Screen.Table(Column.Number("rows"), Column.Number("tokens"), Column.Number("mean log-prob"), Column.Number("perplexity"), Column.Number("tokens/s"));
        table.AddRow($"{totals.Rows:N0}", $"{totals.Tokens:N0}", totals.Scored > 0 ? $"{mean:0.0000}" : "-", totals.Scored > 0 ? $"{Math.Exp(-mean):0.00}" : "-",
            $"{totals.Tokens / Math.Max(elapsed.TotalSeconds, 1e-6):0}");
        console.Write(table);
    }

    /// <summary>One row as ids, checked against the model so that a message names the row's place.</summary>
    private sealed record Scored
    {
        public Scored(Row row, LoadedModel model, bool special)
        {
            bool isText = row.Has("text");
            string field = isText ? "text" : "tokens";
            if (isText == row.Has("tokens"))
                row.Problem("text", isText ? "expected either 'text' or 'tokens', not both" : "missing; expected 'text', a string, or 'tokens', a list of ids");
            else if (isText)
                Tokens = InputRows.Encode(row, "text", model.Tokenizer, special).Ids;
            else
                Tokens = InputRows.Ids(row, "tokens");
            if (row.IsBroken)
                return;
            int vocabulary = model.Sampler.Config.VocabularySize, most = model.Sampler.Config.MaxPositions;
            if (Tokens.Length == 0)
                row.Problem(field, "has no tokens; expected at least one");
            else if (Tokens.Length > most)
                row.Problem(field, $"{Tokens.Length} tokens are more than the model's {most} positions");
            else if (Array.FindIndex(Tokens, id => id >= vocabulary) is >= 0 and int at)
                row.Problem(isText ? field : $"tokens[{at}]", $"id {Tokens[at]} is outside the model's vocabulary of {vocabulary}");
        }

        public int[] Tokens { get; } = [];
    }

    private sealed class Totals
    {
        public long Rows { get; private set; }

        public long Tokens { get; private set; }

        /// <summary>Tokens that have a log-prob.</summary>
        public long Scored { get; private set; }

        public double Sum { get; private set; }

        public void Add(float[] logProbs)
        {
            (Rows, Tokens, Scored) = (Rows + 1, Tokens + logProbs.Length, Scored + logProbs.Length - 1);
            for (int i = 1; i < logProbs.Length; i++)
                Sum += logProbs[i];
        }
    }
}
