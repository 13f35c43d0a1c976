using System.CommandLine;
using Paddock.Backends.Embedded;
using Paddock.Cli.Models;
using Paddock.Cli.Terminal;
using Paddock.Data;
using Paddock.Data.Formats;
using Paddock.Engine;
using Paddock.Engine.Numerics;
using Paddock.Engine.Sampling;
using Spectre.Console;

namespace Paddock.Cli.Verbs;

/// <summary><c>paddock sample</c>: answers of a model to prompts, through its chat template.</summary>
internal static class SampleVerb
{
    private const int ChunkPrompts = 32;

    public static Command Create()
    {
        ModelOptions model = new();
        SamplingFlags sampling = new(temperature: 1.0);
        Option<string?> prompt = new("--prompt", "-p") { Description = "One prompt." };
        Option<string?> input = new("--input", "-i") { Description = "Prompts: a file of any format that has them (JSONL or a JSON array), or '-' for JSONL on standard input." };
        Option<int> count = new("--n", "-n") { Description = "Answers to each prompt.", DefaultValueFactory = _ => 1 };
        Option<bool> json = CommonOptions.Json("Prints a row for every prompt: {\"prompt\", \"answers\": [{\"text\", \"finished\", \"logprob\"}]}; logprob is the answer's sum, in nats.");
        Command command = new("sample", "Draw answers of a model to one prompt or to a file of them.") { prompt, input, count, json };
        model.AddTo(command);
        sampling.AddTo(command);
        command.SetAction((parsed, stop) => Task.Run(() =>
        {
            if (parsed.GetValue(prompt) is null == parsed.GetValue(input) is null)
                throw new BadInputException("give either --prompt TEXT or --input FILE");
            if (parsed.GetValue(count) is < 1 or > 65536)
                throw new BadInputException($"--n must be from 1 to 65536, not {parsed.GetValue(count)}");
            IEnumerable<Prompt> prompts = parsed.GetValue(prompt) is { } text ? [Prompt.FromInstruction("0", text)]
                : parsed.GetValue(input) is InputRows.StandardInput ? InputRows.Read(InputRows.StandardInput, Conversations.Prompt)
                : DataFiles.ReadPrompts(parsed.GetValue(input)!);
            using FrontDoor door = model.OpenDoor(parsed);
            using LoadedModel loaded = LoadedModel.Open(door, model.Model(parsed));
            SamplerOptions options = sampling.Options(parsed, loaded.Codec.StopTokens);
            RandomStream stream = new(sampling.Seed(parsed), "sample");
            using OutputRows output = new(parsed.GetValue(json) ? RowFormat.Json : RowFormat.None);
            ulong first = 0;
            foreach (Prompt[] chunk in prompts.Chunk(ChunkPrompts))
            {
                List<PromptRequest> requests = [.. chunk.Select((p, i) => new PromptRequest(Encode(loaded.Codec, p, first + (ulong)i), parsed.GetValue(count), stream.Split(first + (ulong)i).AsSeed()))];
                List<FinishedSample> answers = [];
                foreach (FinishedSample sample in loaded.Sampler.Sample(requests, options, cancellation: stop))
                {
                    answers.Add(sample);
                    if (answers.Count < parsed.GetValue(count))
                        continue;
                    Finish(chunk[sample.Request], answers, loaded.Codec, output, show: !parsed.GetValue(json));
                    answers.Clear();
                }
                output.Flush();
                first += (ulong)chunk.Length;
            }
            return ExitCodes.Done;
        }, CancellationToken.None));
        return command;
    }

    private static int[] Encode(EngineCodec codec, Prompt prompt, ulong index)
    {
        try
        {
            return codec.EncodePrompt(prompt.Messages);
        }
        catch (BadInputException e)
        {
            throw new BadInputException($"prompt {index} (from 0): {e.Message}", e);
        }
    }

    private static void Finish(Prompt prompt, List<FinishedSample> samples, EngineCodec codec, OutputRows output, bool show)
    {
        (Response Response, double LogProb)[] answers = [.. samples.OrderBy(s => s.Sample).Select(s => (codec.DecodeResponse(s.Tokens), s.LogProbs.Sum(p => (double)p)))];
        output.Write(json =>
        {
            Conversations.WritePrompt(json, prompt, withId: false);
            json.WriteStartArray("answers"u8);
            foreach ((Response response, double logProb) in answers)
            {
                json.WriteStartObject();
                json.WriteString("text"u8, response.Text);
                json.WriteBoolean("finished"u8, response.Finished);
                json.WriteNumber("logprob"u8, Math.Round(logProb, 5));
                json.WriteEndObject();
            }
            json.WriteEndArray();
        });
        if (!show)
            return;
        IAnsiConsole console = Screen.Result();
        console.MarkupLine($"[bold]{Markup.Escape(prompt.Instruction)}[/]");
        foreach ((Response response, double logProb) in answers)
            console.Write(new Padder(new Markup($"{(response.Text.Length == 0 ? "[dim](empty)[/]" : Markup.Escape(response.Text))} [dim]({(response.Finished ? "" : "cut off, ")}log-prob {logProb:0.00})[/]"), new Padding(2, 0, 0, 0)));
    }
}
