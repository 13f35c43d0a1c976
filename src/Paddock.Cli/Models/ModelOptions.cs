using System.CommandLine;

namespace Paddock.Cli.Models;

/// <summary>What every verb that opens one model has: the model, the folder of runs and the threads.</summary>
internal sealed class ModelOptions
{
    private readonly Argument<string> _model = new("model")
    {
        Description = "A model folder, a GGUF file, a built-in name, a hub id in the local cache, or study/stage of a finished stage.",
    };

    private readonly Option<string> _runs = CommonOptions.Runs("Folder of all results, for study/stage.");
    private readonly Option<int> _threads = CommonOptions.Threads();

    public void AddTo(Command command)
    {
        command.Arguments.Add(_model);
        command.Options.Add(_runs);
        command.Options.Add(_threads);
    }

    public FrontDoor OpenDoor(ParseResult parsed) => new(parsed.GetValue(_threads), parsed.GetValue(_runs)!);

    public string Model(ParseResult parsed) => parsed.GetRequiredValue(_model);
}
