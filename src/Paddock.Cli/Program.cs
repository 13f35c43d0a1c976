using System.CommandLine;
using System.CommandLine.Help;
using Paddock.Cli;
using Paddock.Cli.Verbs;

// One line per verb; each verb is one file in Verbs/.
Command root = new("paddock", "Simulated RLHF on a laptop: generate, simulate preferences, train, evaluate, report.")
{
    QuickstartVerb.Create(),
    RunVerb.Create(),
    CompareVerb.Create(),
    StatusVerb.Create(),
    CleanVerb.Create(),
    ReportVerb.Create(),
    DiffVerb.Create(),
    WorldVerb.Create(),
    JudgeVerb.Create(),
    ForecastVerb.Create(),
    AuditVerb.Create(),
    JudgesVerb.Create(),
    AlpacaEvalVerb.Create(),
    WinrateVerb.Create(),
    LeaderboardVerb.Create(),
    HhVerb.Create(),
    CoverageVerb.Create(),
    ChatVerb.Create(),
    SampleVerb.Create(),
    ScoreVerb.Create(),
    TokenizeVerb.Create(),
    BenchVerb.Create(),
    DoctorVerb.Create(),
    new HelpOption(),
    new VersionOption(),
};
foreach (Command verb in StageVerbs.Create([.. root.Subcommands.Select(command => command.Name)]))
    root.Subcommands.Add(verb);
return await ExitCodes.RunAsync(root, args);
