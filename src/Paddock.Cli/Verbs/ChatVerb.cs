using System.CommandLine;
using System.Globalization;
using Paddock.Cli.Models;
using Paddock.Cli.Terminal;
using Paddock.Engine;
using Spectre.Console;

namespace Paddock.Cli.Verbs;

/// <summary><c>paddock chat</c>: talks with a model in the terminal; one message a line when standard input is no terminal.</summary>
internal static class ChatVerb
{
    private const string Commands = """
        /system TEXT  sets the system message and starts over; without TEXT takes it away
        /reset        forgets the conversation
        /help         this list
        /exit         leaves, as Ctrl-D does
        Ctrl-C        stops an answer; what was said of it stays in the conversation
        """;

    public static Command Create()
    {
        ModelOptions model = new();
        SamplingFlags sampling = new(temperature: 0.7);
        Option<string?> system = new("--system") { Description = "A system message before the conversation." };
        Command command = new("chat", "Talk with a model in the terminal; one message a line from a pipe.") { system };
        model.AddTo(command);
        sampling.AddTo(command);
        // a synchronous action: the library's own handling of Ctrl-C would end the program where here it ends an answer
        command.SetAction(parsed =>
        {
            using FrontDoor door = model.OpenDoor(parsed);
            using LoadedModel loaded = LoadedModel.Open(door, model.Model(parsed));
            Conversation conversation = new(loaded, sampling.Options(parsed, loaded.Codec.StopTokens), sampling.Seed(parsed), parsed.GetValue(system));
            bool live = !Console.IsInputRedirected && Screen.IsLive;
            if (live)
                Screen.Error.MarkupLine($"[dim]{Markup.Escape(model.Model(parsed))}; /help lists commands, Ctrl-C stops an answer, Ctrl-D leaves[/]");
            using AnswerStop stop = new(live);
            return Talk(conversation, stop, door.Services.Time, live) ? ExitCodes.Done : ExitCodes.BadInput;
        });
        return command;
    }

    /// <summary>Whether every message was answered.</summary>
    private static bool Talk(Conversation conversation, AnswerStop stop, TimeProvider time, bool live)
    {
        bool allAnswered = true;
        for (long line = 1; ; line++)
        {
            if (live)
                Screen.Error.Markup("[bold]> [/]");
            string? message = Console.In.ReadLine()?.Trim();
            stop.Forget();
            if (message is null && live)
                Console.Error.WriteLine();
            if (message is null or "/exit" or "/quit")
                return allAnswered;
            if (message.Length == 0 || IsCommand(conversation, message))
                continue;
            try
            {
                Answer(conversation, message, stop, time, live);
            }
            catch (BadInputException e)
            {
                allAnswered = live;
                Console.Error.WriteLine(live ? e.Message : $"paddock: standard input:{line}: {e.Message}");
            }
        }
    }

    private static bool IsCommand(Conversation conversation, string message)
    {
        if (message[0] != '/')
            return false;
        string[] words = message.Split(' ', 2, StringSplitOptions.TrimEntries);
        switch (words[0])
        {
            case "/system":
                conversation.Restart(words.Length > 1 ? words[1] : null);
                Console.Error.WriteLine(words.Length > 1 ? "started over with this system message" : "started over without a system message");
                return true;
            case "/reset":
                conversation.Reset();
                Console.Error.WriteLine("forgotten");
                return true;
            case "/help":
                Console.Error.WriteLine(Commands);
                return true;
        }
        // a message may begin with a path or a fraction; a lone word is a slip
        if (words.Length > 1)
            return false;
        Console.Error.WriteLine($"no command {message}; /help lists them");
        return true;
    }

    private static void Answer(Conversation conversation, string message, AnswerStop stop, TimeProvider time, bool live)
    {
        long begun = time.GetTimestamp();
        bool stopped, begins = true;
        ChatAnswer answer;
        CancellationToken stopping = stop.Begin();
        WordWrap output = new(text =>
        {
            Console.Out.Write(text);
            Console.Out.Flush();
        }, live && !Console.IsOutputRedirected ? Screen.Result().Profile.Width : 0);
        try
        {
            answer = conversation.Answer(message, text =>
            {
                // many models begin with a blank or an empty line that says nothing
                text = begins ? text.TrimStart() : text;
                begins &= text.Length == 0;
                output.Write(text);
            }, stopping);
            output.Flush();
        }
        finally
        {
            stopped = stop.End();
        }
        Console.Out.WriteLine();
        Console.Out.Flush();
        if (live)
            Screen.Error.MarkupLine(string.Create(CultureInfo.InvariantCulture,
                $"[dim]{Screen.Counted(answer.Tokens, "token")}, {answer.Tokens / Math.Max(time.GetElapsedTime(begun).TotalSeconds, 1e-6):0.0} a second{(stopped ? ", stopped" : answer.Finished ? "" : ", cut off at --max-tokens")}[/]"));
    }

    /// <summary>
    /// Ctrl-C: stops the answer that is being given and no more. With none it ends the program as the system does (130), but a person at a
    /// terminal, who may have meant an answer that had just ended, is asked once more.
    /// </summary>
    private sealed class AnswerStop : IDisposable
    {
        private readonly Lock _gate = new();
        private readonly bool _asks;
        private CancellationTokenSource? _answer;
        private bool _asked;

        public AnswerStop(bool asks)
        {
            _asks = asks;
            Console.CancelKeyPress += OnCancel;
        }

        /// <summary>A line came: the next Ctrl-C at the prompt is a first one again.</summary>
        public void Forget()
        {
            lock (_gate)
                _asked = false;
        }

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
                if (_answer != null)
                {
                    _answer.Cancel();
                    e.Cancel = true;
                }
                else if (_asks && !_asked)
                {
                    _asked = true;
                    e.Cancel = true;
                    Console.Error.WriteLine();
                    Console.Error.Write("Ctrl-D leaves, or Ctrl-C once more\n> ");
                }
        }
    }
}
