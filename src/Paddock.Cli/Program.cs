using System.CommandLine;
using System.CommandLine.Help;
using Paddock.Cli;
using Paddock.Cli.Verbs;

// One line per verb; each verb is one file in Verbs/.
Command root = new("paddock", "Simulated RLHF on a laptop: generate, simulate preferences, train, evaluate, report.")
{
    QuickstartVerb.Create(),
    RunVerb.Create(),
    StatusVerb.Create(),
    CleanVerb.Create(),
    WorldVerb.Create(),
    JudgeVerb.Create(),
    ForecastVerb.Create(),
    ChatVerb.Create(),
    SampleVerb.Create(),
    ScoreVerb.Create(),
    TokenizeVerb.Create(),
    AuditVerb.Create(),
    JudgesVerb.Create(),
    ReportVerb.Create(),
    DiffVerb.Create(),
    DoctorVerb.Create(),
    BenchVerb.Create(),
    new HelpOption(),
    new VersionOption(),
};
foreach (Command verb in StageVerbs.Create([.. root.Subcommands.Select(command => command.Name)]))
    root.Subcommands.Add(verb);
return await ExitCodes.RunAsync(root, args);
