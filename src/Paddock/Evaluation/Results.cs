namespace Paddock.Evaluation;

/// <summary>A mean with its standard error over N prompts; rates are fractions in [0, 1].</summary>
public sealed record Estimate(double Mean, double Se, int N);

/// <summary>Verdicts of one annotator on one system against the reference.</summary>
/// <param name="WinRate">Mean preference for the system, SE by prompt.</param>
/// <param name="Missing">Verdicts that could not be given; never scored, always shown.</param>
/// <param name="VersusBaseline">Paired difference to the baseline system on the same prompts; null for the baseline itself.</param>
public sealed record AnnotatorResult(Estimate WinRate, int Wins, int Ties, int Losses, int Missing, Estimate? VersusBaseline);

/// <summary>What an answer cost: means over the prompts, counted and by formula. Seconds are measured and lie in <c>inference.json</c>.</summary>
public sealed record InferenceCost(double Tokens, double Flops);

/// <param name="Policy">Stage or model that answers.</param>
/// <param name="Rerank">Reward model that chooses among <paramref name="N"/> answers, or null.</param>
/// <param name="Annotators">By annotator name.</param>
/// <param name="Measures">Further means by name: length, finished, utility, helpful, honest, harmless, kl ...; what a study cannot know is absent.</param>
public sealed record SystemResult(string Name, string Policy, string? Rerank, int N, IReadOnlyDictionary<string, AnnotatorResult> Annotators,
    IReadOnlyDictionary<string, Estimate> Measures, InferenceCost Inference);

/// <summary>One prompt with every system's answer, for the eye.</summary>
public sealed record ExampleAnswers(string Id, string Prompt, string? Reference, IReadOnlyList<ExampleAnswer> Answers);

/// <param name="Preference">P(answer better than the reference) by annotator.</param>
public sealed record ExampleAnswer(string System, string Text, bool Finished, IReadOnlyDictionary<string, double?> Preference);

/// <summary>What a win-rate stage found: <c>results.json</c> of its folder, read by the report and by <c>--json</c>.</summary>
/// <param name="Against">What the systems are compared with: the world's reference or a system's name.</param>
/// <param name="Baseline">The system that paired differences are taken to.</param>
/// <param name="Expected">True when verdicts are exact expectations over raters, misreads and orders.</param>
public sealed record EvaluationResult(string Split, int Prompts, string Against, string Baseline, double Temperature, bool Expected,
    IReadOnlyList<string> Annotators, IReadOnlyList<SystemResult> Systems, IReadOnlyList<ExampleAnswers> Examples);

/// <summary>How often a model scores the human's choice higher, on held-out pairs: <c>results.json</c> of an accuracy stage.</summary>
public sealed record AccuracyResult(string Data, IReadOnlyList<ModelAccuracy> Models);

/// <param name="Accuracy">Ties count half.</param>
/// <param name="Low">Of Wilson's 95 % interval, as <paramref name="High"/>.</param>
public sealed record ModelAccuracy(string Model, Estimate Accuracy, double Low, double High, int Ties, double LogLoss, double CalibrationError);
