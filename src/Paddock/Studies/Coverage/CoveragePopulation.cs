using Paddock.Data;
using Paddock.Engine.Numerics;
using Paddock.Evaluation;
using Paddock.Worlds;

namespace Paddock.Studies.Coverage;

/// <summary>
/// Prompts of the Meadow with the answers of a few authors and what its annotators think of them, exactly. Samples of prompts and of votes are
/// drawn from it, so the true value of every estimand is known by adding up.
/// </summary>
/// <param name="Human">Human[a][b][i]: P(a person prefers author a's answer to b's on prompt i), over the whole panel.</param>
/// <param name="Judge">The same of the simulated pool.</param>
/// <param name="Lengths">Lengths[a][i], in words.</param>
public sealed record CoveragePopulation(IReadOnlyList<string> Authors, double[][][] Human, double[][][] Judge, double[][] Lengths)
{
    private static readonly string[] Four = ["expert", "plain", "sycophant", "rambler"];

    /// <summary>Prompts.</summary>
    public int Size => Lengths[0].Length;

    /// <summary>The evaluation split, answered by an expert, a plain writer, a sycophant and a rambler.</summary>
    public static Task<CoveragePopulation> OfMeadowAsync(CancellationToken cancellation = default) => OfMeadowAsync(new MeadowWorld(), Four, 7, cancellation);

    /// <param name="seed">Of the answers.</param>
    public static async Task<CoveragePopulation> OfMeadowAsync(MeadowWorld world, IReadOnlyList<string> authors, ulong seed, CancellationToken cancellation = default)
    {
        IReadOnlyList<Prompt> prompts = world.Prompts("evaluation");
        Response[][] answers = new Response[authors.Count][];
        double[][] lengths = new double[authors.Count][];
        for (int a = 0; a < answers.Length; a++)
        {
            RandomStream stream = new(seed, $"coverage/{authors[a]}");
            answers[a] = [.. prompts.Select((prompt, i) => Write(prompt, authors[a], stream.Split((ulong)i)))];
            lengths[a] = [.. answers[a].Select(answer => (double)answer.Text.Split(' ').Length)];
        }
        return new(authors, await Ask("human"), await Ask("pool"), lengths);

        async Task<double[][][]> Ask(string annotator)
        {
            IAnnotator panel = world.Annotator(annotator, new AnnotatorOptions(seed, Expected: true));
            double[][][] prefers = [.. authors.Select(_ => new double[authors.Count][])];
            for (int a = 0; a < authors.Count; a++)
                for (int b = 0; b < authors.Count; b++)
                {
                    Comparison[] pairs = [.. prompts.Select((prompt, i) => new Comparison(prompt.Id, prompt, answers[a][i], answers[b][i]))];
                    prefers[a][b] = [.. (await panel.CompareAsync(pairs, cancellation)).Select(verdict => verdict.FirstPreferred!.Value)];
                }
            return prefers;
        }
    }

    private static Response Write(Prompt prompt, string author, RandomStream stream) => MeadowDemonstrator.Write(MeadowTask.Parse(prompt.Instruction)!, MeadowAuthor.Named(author), ref stream).Response;
}
