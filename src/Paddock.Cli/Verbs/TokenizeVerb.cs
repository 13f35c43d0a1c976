using System.CommandLine;
using Paddock.Cli.Models;
using Paddock.Cli.Terminal;
using Paddock.Engine.Tokenizers;

namespace Paddock.Cli.Verbs;

/// <summary><c>paddock tokenize</c>: texts to token ids, or with <c>--decode</c> ids to texts, row by row.</summary>
internal static class TokenizeVerb
{
    public static Command Create()
    {
        ModelOptions model = new();
        InputRows input = new("Rows with a 'text', or with --decode rows with 'ids': JSONL or a JSON array.");
        Option<bool> decode = new("--decode") { Description = "Turns ids into text." };
        Option<bool> plain = new("--no-special-tokens") { Description = "Adds no special tokens when encoding, leaves them out when decoding." };
        Option<bool> json = CommonOptions.Json("Prints a row of JSON for every row: {\"ids\": [...]}, or {\"text\": ...} with --decode.");
        Command command = new("tokenize", "Turn texts into token ids, or ids into texts.") { decode, plain, json };
        model.AddTo(command);
        input.AddTo(command);
        command.SetAction((parsed, stop) => Task.Run(() =>
        {
            using FrontDoor door = model.OpenDoor(parsed);
            Tokenizer tokenizer = TokenizerSource.Open(door, model.Model(parsed));
            bool special = !parsed.GetValue(plain);
            Counts counts = new();
            using (OutputRows output = new(parsed.GetValue(json) ? RowFormat.Json : RowFormat.Text, atOnce: input.IsPiped(parsed)))
                if (parsed.GetValue(decode))
                    foreach (int[] ids in input.Read(parsed, row => InputRows.Ids(row, "ids")))
                        Decode(tokenizer, ids, skipSpecial: !special, output, counts, stop);
                else
                    foreach ((string text, int[] ids) in input.Read(parsed, row => InputRows.Encode(row, "text", tokenizer, special)))
                        Encoded(text, ids, output, counts, stop);
            Console.Error.WriteLine($"{Screen.Counted(counts.Rows, "row")}, {Screen.Counted(counts.Tokens, "token")}, {Screen.Counted(counts.Characters, "character")}"
                + (counts.Tokens > 0 ? FormattableString.Invariant($", {(double)counts.Characters / counts.Tokens:0.00} characters a token") : ""));
            return ExitCodes.Done;
        }, CancellationToken.None));
        return command;
    }

    private static void Encoded(string text, int[] ids, OutputRows output, Counts counts, CancellationToken stop)
    {
        stop.ThrowIfCancellationRequested();
        counts.Add(ids, text);
        output.Write(row =>
        {
            row.WriteStartArray("ids"u8);
            foreach (int id in ids)
                row.WriteNumberValue(id);
            row.WriteEndArray();
        }, () => string.Join(' ', ids));
    }

    private static void Decode(Tokenizer tokenizer, int[] ids, bool skipSpecial, OutputRows output, Counts counts, CancellationToken stop)
    {
        stop.ThrowIfCancellationRequested();
        string text = tokenizer.Decode(ids, skipSpecial);
        counts.Add(ids, text);
        output.Write(row => row.WriteString("text"u8, text), () => text);
    }

    private sealed class Counts
    {
        public long Rows { get; private set; }

        public long Tokens { get; private set; }

        public long Characters { get; private set; }

        public void Add(int[] ids, string text) => (Rows, Tokens, Characters) = (Rows + 1, Tokens + ids.Length, Characters + text.Length);
    }
}
