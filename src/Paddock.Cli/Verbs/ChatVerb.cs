using System.CommandLine;
using Paddock.Cli.Models;
using Paddock.Cli.Terminal;
using Paddock.Engine;
using Spectre.Console;

namespace Paddock.Cli.Verbs;

/// <summary><c>paddock chat</c>: talks with a model in the terminal; one message a line when standard input is no terminal.</summary>
internal static class ChatVerb
{
    public static Command Create()
    {
        ModelOptions model = new();
        SamplingFlags sampling = new(temperature: 0.7);
        Option<string?> system = new("--system") { Description = "A system message before the conversation." };
        Command command = new("chat", "Talk with a model in the terminal.") { system };
        model.AddTo(command);
        sampling.AddTo(command);
        // a synchronous action: the library's own handling of Ctrl-C would end the program where here it ends an answer
        command.SetAction(parsed =>
        {
            using FrontDoor door = model.OpenDoor(parsed);
            using LoadedModel loaded = LoadedModel.Open(door, model.Model(parsed));
            Conversation conversation = new(loaded, sampling.Options(parsed, loaded.Codec.StopTokens), sampling.Seed(parsed), parsed.GetValue(system));
            using AnswerStop stop = new();
            Talk(conversation, stop, door.Services.Time);
            return ExitCodes.Done;
        });
        return command;
    }

    private static void Talk(Conversation conversation, AnswerStop stop, TimeProvider time)
    {
        bool live = !Console.IsInputRedirected && Screen.IsLive;
        if (live)
            Screen.Error.MarkupLine("[dim]/reset forgets the conversation, /exit or Ctrl-D ends it, Ctrl-C stops an answer[/]");
        while (true)
        {
            if (live)
                Screen.Error.Markup("[bold]> [/]");
            string? message = Console.In.ReadLine()?.Trim();
            switch (message)
            {
                case null or "/exit" or "/quit":
                    return;
                case "":
                    continue;
                case "/reset":
                    conversation.Reset();
                    Console.Error.WriteLine("forgotten");
                    continue;
            }
            if (message[0] == '/' && message.IndexOf(' ', StringComparison.Ordinal) < 0)
            {
                Console.Error.WriteLine($"no command {message}; there are /reset and /exit");
                continue;
            }
            try
            {
                Answer(conversation, message, stop, time, live);
            }
            catch (BadInputException e) when (live)
            {
                Console.Error.WriteLine(e.Message);
            }
        }
    }

    private static void Answer(Conversation conversation, string message, AnswerStop stop, TimeProvider time, bool live)
    {
        long begun = time.GetTimestamp();
        int tokens;
        bool stopped;
        CancellationToken stopping = stop.Begin();
        try
        {
            tokens = conversation.Answer(message, text =>
            {
                Console.Out.Write(text);
                Console.Out.Flush();
            }, stopping);
        }
        finally
        {
            stopped = stop.End();
        }
        Console.Out.WriteLine();
        Console.Out.Flush();
        if (live)
            Screen.Error.MarkupLine($"[dim]{tokens} tokens, {tokens / Math.Max(time.GetElapsedTime(begun).TotalSeconds, 1e-6):0.0} tokens/s{(stopped ? ", stopped" : "")}[/]");
    }

    /// <summary>Ctrl-C: stops the answer that is being given; with none, the program ends as the system ends it (130).</summary>
    private sealed class AnswerStop : IDisposable
    {
        private readonly Lock _gate = new();
        private CancellationTokenSource? _answer;

        public AnswerStop() => Console.CancelKeyPress += OnCancel;

        public CancellationToken Begin()
        {
            lock (_gate)
                return (_answer = new()).Token;
        }

        /// <summary>Whether the answer was stopped.</summary>
        public bool End()
        {
            lock (_gate)
            {
                bool stopped = _answer!.IsCancellationRequested;
                _answer.Dispose();
                _answer = null;
                return stopped;
            }
        }

        public void Dispose() => Console.CancelKeyPress -= OnCancel;

        private void OnCancel(object? sender, ConsoleCancelEventArgs e)
        {
            lock (_gate)
                if (_answer is { IsCancellationRequested: false })
                {
                    _answer.Cancel();
                    e.Cancel = true;
                }
        }
    }
}
