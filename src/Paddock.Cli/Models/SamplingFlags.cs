using System.CommandLine;
using Paddock.Engine.Sampling;

namespace Paddock.Cli.Models;

/// <summary>How answers are drawn: the options of every verb that samples.</summary>
internal sealed class SamplingFlags(double temperature)
{
    private readonly Option<double> _temperature = new("--temperature") { Description = "0 takes the likeliest token each time.", DefaultValueFactory = _ => temperature };
    private readonly Option<double> _topP = new("--top-p") { Description = "Draws among the likeliest tokens that make up this share; 1 is off.", DefaultValueFactory = _ => 1 };
    private readonly Option<int> _topK = new("--top-k") { Description = "Draws among so many of the likeliest tokens; 0 is off." };
    private readonly Option<int> _maxTokens = new("--max-tokens") { Description = "Longest answer.", DefaultValueFactory = _ => 256 };
    private readonly Option<ulong> _seed = new("--seed") { Description = "The same seed draws the same answers.", DefaultValueFactory = _ => 1 };

    public void AddTo(Command command)
    {
        foreach (Option option in new Option[] { _temperature, _topP, _topK, _maxTokens, _seed })
            command.Options.Add(option);
    }

    public ulong Seed(ParseResult parsed) => parsed.GetValue(_seed);

    public SamplerOptions Options(ParseResult parsed, IReadOnlyList<int> stopTokens)
    {
        SamplerOptions options = new(parsed.GetValue(_maxTokens), (float)parsed.GetValue(_temperature), parsed.GetValue(_topK), (float)parsed.GetValue(_topP), StopTokens: stopTokens);
        options.Check();
        return options;
    }
}
