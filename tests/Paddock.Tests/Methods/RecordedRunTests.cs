using System.Text.Json;
using Paddock.Backends;
using Paddock.Backends.Embedded;
using Paddock.Engine.Checkpoints;
using Paddock.Engine.Threading;
using Paddock.Methods;
using Paddock.Methods.Formulas;
using Paddock.Studies;
using Paddock.Studies.Stages;
using Paddock.Tests.Formulas;
using Paddock.Tests.Shared;

namespace Paddock.Tests.Methods;

/// <summary>
/// Whole runs of the reference trainers, replayed through the seam: our engine on their weights and batches, our losses, our AdamW. Loss and
/// gradient norm of each of the eight steps, and the weights at the end.
/// </summary>
public class RecordedRunTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    internal delegate double Micro(JsonElement batch, Sequence[] rows, PassResult policy, PassResult? reference, double share, double stepTokens, ReadOnlyMemory<float>[] coefficients);

    [SharedTheory]
    [InlineData("sft_full", SftObjective.NegativeLogLikelihood)]
    [InlineData("sft_completion_only", SftObjective.NegativeLogLikelihood)]
    [InlineData("sft_prompt_completion_full_loss", SftObjective.NegativeLogLikelihood)]
    [InlineData("sft_plain_text_eos", SftObjective.NegativeLogLikelihood)]
    [InlineData("sft_truncated", SftObjective.NegativeLogLikelihood)]
    [InlineData("sft_accum2", SftObjective.NegativeLogLikelihood)]
    [InlineData("sft_weight_decay_cosine", SftObjective.NegativeLogLikelihood)]
    [InlineData("sft_packing_wrapped", SftObjective.NegativeLogLikelihood)]
    [InlineData("sft_dft", SftObjective.Dynamic)]
    public Task Supervised_fine_tuning(string run, SftObjective objective) => ReplayAsync(run, Head.Token, losses: (_, rows, policy, _, _, stepTokens, coefficients) =>
    {
        StepMean mean = default;
        for (int i = 0; i < rows.Length; i++)
        {
            double[] logProbs = new double[ResponseOutputs.Count(rows[i])], wanted = new double[logProbs.Length];
            ResponseOutputs.Gather(rows[i], policy.Outputs[i].Span, logProbs);
            SftLoss.Add(objective, logProbs, (long)stepTokens, ref mean, wanted);
            coefficients[i] = ResponseOutputs.Scatter(rows[i], wanted);
        }
        return mean.Sum / stepTokens;
    });

    // packed by the trainer into one row with positions that begin anew; here the documents lie end to end as they are
    [SharedFact]
    public Task Supervised_fine_tuning_of_packed_documents() => ReplayAsync("sft_packing_bfd", Head.Token, (_, rows, policy, _, _, stepTokens, coefficients) =>
    {
        StepMean mean = default;
        for (int i = 0; i < rows.Length; i++)
        {
            double[] logProbs = new double[ResponseOutputs.Count(rows[i])], wanted = new double[logProbs.Length];
            ResponseOutputs.Gather(rows[i], policy.Outputs[i].Span, logProbs);
            SftLoss.Add(SftObjective.NegativeLogLikelihood, logProbs, (long)stepTokens, ref mean, wanted);
            coefficients[i] = ResponseOutputs.Scatter(rows[i], wanted);
        }
        return mean.Sum / stepTokens;
    }, Documents);

    private static Sequence[] Documents(JsonElement batch)
    {
        List<Sequence> rows = [];
        for (int row = 0; row < batch.GetProperty("input_ids").GetArrayLength(); row++)
        {
            int[] ids = Ints(batch.GetProperty("input_ids")[row]), labels = Ints(batch.GetProperty("labels")[row]), positions = Ints(batch.GetProperty("position_ids")[row]);
            for (int start = 0, end; start < ids.Length; start = end)
            {
                for (end = start + 1; end < ids.Length && positions[end] != 0; end++)
                {
                }
                if (end - start > 1)
                    rows.Add(new Sequence(ids.AsMemory(start..(end - 1)), labels[(start + 1)..end].Select(label => label < 0 ? Sequence.NoTarget : label).ToArray()));
            }
        }
        return [.. rows];
    }

    [SharedTheory]
    [InlineData("reward_plain")]
    [InlineData("reward_plain_text_eos")]
    [InlineData("reward_margin")]
    [InlineData("reward_center")]
    [InlineData("reward_margin_center_accum2")]
    public Task Reward_models(string run)
    {
        RewardModelLossOptions options = new(Number(TrlRun.Load(run).GetProperty("resolved_trainer_fields"), "center_rewards_coefficient") ?? 0);
        return ReplayAsync(run, Head.Scalar, losses: (batch, rows, policy, _, share, _, coefficients) =>
        {
            int pairs = rows.Length / 2;
            RewardPair[] scored = new RewardPair[pairs];
            for (int i = 0; i < pairs; i++)
                scored[i] = new RewardPair(policy.Outputs[i].Span[^1], policy.Outputs[pairs + i].Span[^1], batch.TryGetProperty("margin", out JsonElement margins) ? margins[i].GetDouble() : 0);
            double[] chosen = new double[pairs], rejected = new double[pairs];
            double loss = RewardModelLoss.Compute(options, scored, chosen, rejected).Loss;
            for (int i = 0; i < rows.Length; i++)
                coefficients[i] = ResponseOutputs.Spread(rows[i], share * (i < pairs ? chosen[i] : rejected[i - pairs]));
            return share * loss;
        });
    }

    [SharedTheory]
    [InlineData("dpo_sigmoid", DpoLossType.Sigmoid)]
    [InlineData("dpo_plain_text_eos", DpoLossType.Sigmoid)]
    [InlineData("dpo_explicit_ref", DpoLossType.Sigmoid)]
    [InlineData("dpo_accum2", DpoLossType.Sigmoid)]
    [InlineData("dpo_truncated", DpoLossType.Sigmoid)]
    [InlineData("dpo_hinge", DpoLossType.Hinge)]
    [InlineData("dpo_ipo", DpoLossType.Ipo)]
    [InlineData("dpo_sigmoid_norm", DpoLossType.SigmoidNorm)]
    [InlineData("dpo_nca_pair", DpoLossType.NcaPair)]
    [InlineData("dpo_bco_pair", DpoLossType.BcoPair)]
    [InlineData("dpo_sppo_hard", DpoLossType.SppoHard)]
    [InlineData("dpo_apo_zero", DpoLossType.ApoZero)]
    [InlineData("dpo_apo_down", DpoLossType.ApoDown)]
    [InlineData("dpo_exo_pair", DpoLossType.ExoPair)]
    [InlineData("dpo_robust_ls", DpoLossType.Robust)]
    [InlineData("dpo_discopop", DpoLossType.DiscoPop)]
    [InlineData("dpo_aot", DpoLossType.Aot)]
    [InlineData("dpo_aot_unpaired", DpoLossType.AotUnpaired)]
    [InlineData("dpo_sft", DpoLossType.Sft)]
    public Task Preference_optimisation(string run, DpoLossType type)
    {
        JsonElement fields = TrlRun.Load(run).GetProperty("resolved_trainer_fields");
        return PreferencesAsync(run, DpoLossOptions.Of(type, Number(fields, "beta")!.Value, Number(fields, "label_smoothing")), 1);
    }

    // by the keys of a recipe
    [SharedTheory]
    [InlineData("dpo_mix_mpo", "losses: {sigmoid: 0.8, bco-pair: 0.2, sft: 1}")]
    [InlineData("dpo_mix_rpo", "losses: {sigmoid: 1, sft: 0.5}")]
    [InlineData("dpo_f_forward_kl", "divergence: forward-kl")]
    [InlineData("dpo_f_js", "divergence: jensen-shannon")]
    [InlineData("dpo_f_js_ipo", "divergence: jensen-shannon, loss: ipo")]
    [InlineData("dpo_f_alpha", "divergence: alpha, divergence-alpha: 0.5")]
    [InlineData("dpo_ld_alpha", "ld-alpha: 0.5")]
    [InlineData("dpo_ld_alpha_ipo", "ld-alpha: 0.3, loss: ipo")]
    public Task Preference_optimisation_with_modifiers(string run, string keys)
    {
        string yaml = $"study: s\nseed: 1\nworld: meadow\nmodel: base\nstages:\n  - sample: {{name: a, from: base}}\n  - annotate: {{name: p, of: a}}\n  - dpo: {{name: d, data: p, {keys}}}\n";
        DpoSettings settings = ((DpoStage)new RecipeReader(StageCatalog.Table).Read(yaml, "keys").Stages[2]).Training;
        return PreferencesAsync(run, settings.LossOptions, settings.LdAlpha);
    }

    [SharedFact]
    public Task Preference_optimisation_with_a_reference_that_moves() => PreferencesAsync("dpo_sync_ref", DpoLossOptions.Of(DpoLossType.Sigmoid), 1,
        (step, policy, reference) => step % 2 == 0 ? ((IMixableModel)reference!).MixAsync(policy, 0.6, None) : Task.CompletedTask);

    private static Task PreferencesAsync(string run, DpoLossOptions options, double ldAlpha, Func<int, ITrainableModel, ITrainableModel?, Task>? after = null)
    {
        return ReplayAsync(run, Head.Token, losses: (_, rows, policy, reference, share, _, coefficients) =>
        {
            int pairs = rows.Length / 2;
            PairLogProbs[] logProbs = new PairLogProbs[pairs];
            for (int i = 0; i < pairs; i++)
                logProbs[i] = new PairLogProbs(Sum(policy, rows, i), Sum(policy, rows, pairs + i), Sum(reference!, rows, i), Sum(reference!, rows, pairs + i),
                    ResponseOutputs.Count(rows[i]), ResponseOutputs.Count(rows[pairs + i]));
            double[] chosen = new double[pairs], rejected = new double[pairs];
            double loss = DpoLoss.Compute(options, logProbs, chosen, rejected).Loss;
            for (int i = 0; i < rows.Length; i++)
                coefficients[i] = ResponseOutputs.Spread(rows[i], share * (i < pairs ? chosen[i] : rejected[i - pairs]), Shorter(rows, i), ldAlpha);
            return share * loss;
        }, after: after);

        SumLogProb Sum(PassResult pass, Sequence[] rows, int row)
        {
            double[] tokens = new double[ResponseOutputs.Count(rows[row])];
            ResponseOutputs.Gather(rows[row], pass.Outputs[row].Span, tokens);
            return SumLogProb.LengthDesensitised(tokens, Shorter(rows, row), ldAlpha);
        }

        static int Shorter(Sequence[] rows, int row) => Math.Min(ResponseOutputs.Count(rows[row]), ResponseOutputs.Count(rows[(row + rows.Length / 2) % rows.Length]));
    }

    /// <param name="after">Done with policy and reference after a step, counted from 1.</param>
    /// <param name="cut">The rows of a recorded micro-batch; those of <see cref="Rows"/> when left out.</param>
    internal static async Task ReplayAsync(string name, Head head, Micro losses, Func<JsonElement, Sequence[]>? cut = null, Func<int, ITrainableModel, ITrainableModel?, Task>? after = null)
    {
        JsonElement run = TrlRun.Load(name), batches = TrlRun.Batches(run), common = run.GetProperty("common");
        string folder = Directory.CreateTempSubdirectory("paddock-run-").FullName;
        using WorkerPool pool = new(1);
        try
        {
            await using EmbeddedBackend backend = new(folder, new ModelLibrary([]), pool);
            await using ITrainableModel policy = await backend.CreateAsync(Spec(run, "policy", head), None);
            await using ITrainableModel? reference = run.GetProperty("reference").ValueKind == JsonValueKind.Null ? null : await backend.CreateAsync(Spec(run, "reference", head), None);
            foreach (JsonElement step in run.GetProperty("steps").EnumerateArray())
            {
                await StepAsync(step, batches, common, policy, reference, losses, cut ?? (batch => Rows(batch, head)));
                if (after != null)
                    await after(step.GetProperty("step").GetInt32(), policy, reference);
            }
            CheckpointUri saved = await policy.SaveAsync("final", None);
            CompareWeights(name, run, Path.Combine(saved.Value, "weights.safetensors"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task StepAsync(JsonElement step, JsonElement batches, JsonElement common, ITrainableModel policy, ITrainableModel? reference, Micro losses, Func<JsonElement, Sequence[]> cut)
    {
        JsonElement[] micros = [.. step.GetProperty("micro").EnumerateArray().Select(m => batches[m.GetProperty("batch").GetInt32()])];
        Sequence[][] rows = [.. micros.Select(cut)];
        double tokens = rows.Sum(r => r.Sum(ResponseOutputs.Count)), loss = 0;
        for (int i = 0; i < micros.Length; i++)
        {
            PassResult outputs = await policy.ForwardAsync(rows[i], None);
            PassResult? references = reference == null ? null : await reference.ForwardAsync(rows[i], None);
            ReadOnlyMemory<float>[] coefficients = new ReadOnlyMemory<float>[rows[i].Length];
            loss += losses(micros[i], rows[i], outputs, references, 1.0 / micros.Length, tokens, coefficients);
            await policy.BackwardAsync(rows[i], coefficients, None);
        }
        double Common(string field) => common.GetProperty(field).GetDouble();
        StepResult result = await policy.StepAsync(new AdamStep(step.GetProperty("lr_used").GetDouble(), Common("adam_beta1"), Common("adam_beta2"), Common("adam_epsilon"),
            Common("weight_decay"), Common("max_grad_norm")), None);
        Near(step, "loss", loss, 2e-5);
        Near(step, "grad_norm", result.GradientNorm, 2e-4);
    }

    // Sums and norms of every parameter, and the tensors that were kept. Adam divides by a gradient's own size, so a parameter whose gradient is
    // rounding noise may move otherwise: all but a few in ten thousand must agree closely, and none may be far.
    internal static void CompareWeights(string name, JsonElement run, string path)
    {
        using SafetensorsFile ours = SafetensorsFile.Open(path), theirs = SafetensorsFile.Open(SharedFolder.Get("golden", "trl_runs", name + ".safetensors"));
        int compared = 0;
        foreach (JsonProperty parameter in run.GetProperty("final_stats").EnumerateObject())
        {
            float[] values = Read(ours, parameter.Name);
            double norm = parameter.Value.GetProperty("l2").GetDouble();
            Assert.True(Math.Abs(Math.Sqrt(values.Sum(v => (double)v * v)) - norm) <= 1e-5 * norm, $"{parameter.Name}: norm");
            compared++;
        }
        Assert.Equal(ours.Tensors.Count, compared);
        int kept = 0;
        foreach (string tensor in theirs.Tensors.Keys.Where(t => t.StartsWith("final.", StringComparison.Ordinal) && t != "final.probe_logits"))
        {
            float[] expected = Read(theirs, tensor), actual = Read(ours, tensor["final.".Length..]);
            Assert.Equal(expected.Length, actual.Length);
            double[] differences = [.. expected.Zip(actual, (e, a) => (double)Math.Abs(e - a))];
            Assert.True(differences.Max() < 1e-3, $"{tensor}: a parameter is off by {differences.Max()}");
            Assert.True(differences.Count(d => d > 5e-6) <= 5e-4 * differences.Length, $"{tensor}: {differences.Count(d => d > 5e-6)} of {differences.Length} are off, at most by {differences.Max()}");
            kept++;
        }
        Assert.True(kept >= 3);
    }

    internal static float[] Read(SafetensorsFile file, string tensor)
    {
        Assert.True(file.Tensors.ContainsKey(tensor), $"{tensor} is not in {file.Place}");
        float[] values = new float[file.Tensors[tensor].Count];
        file.Read(tensor, values);
        return values;
    }

    // padding is cut off; what is scored: labels (sft), the completion (dpo), the last token (reward)
    internal static Sequence[] Rows(JsonElement batch, Head head, string prefix = "")
    {
        JsonElement ids = batch.GetProperty(prefix + "input_ids");
        Sequence[] rows = new Sequence[ids.GetArrayLength()];
        for (int i = 0; i < rows.Length; i++)
        {
            int[] all = Ints(ids[i]);
            int length = batch.TryGetProperty(prefix + "attention_mask", out JsonElement masks) ? Ints(masks[i]).Sum() : all.Length;
            int[] row = all[..length];
            if (head == Head.Scalar)
            {
                rows[i] = Sequence.ForScore([], row);
                continue;
            }
            int[] labels = batch.TryGetProperty(prefix + "labels", out JsonElement given) ? Ints(given[i]) : [.. Ints(batch.GetProperty(prefix + "completion_mask")[i]).Select((m, t) => m == 1 ? all[t] : -100)];
            rows[i] = new Sequence(row.AsMemory(..^1), labels[1..length].Select(label => label < 0 ? Sequence.NoTarget : label).ToArray());
        }
        return rows;
    }

    internal static int[] Ints(JsonElement array) => [.. array.EnumerateArray().Select(v => v.GetInt32())];

    internal static double? Number(JsonElement fields, string name) => fields.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : null;

    internal static ModelSpec Spec(JsonElement run, string which, Head head) =>
        new(SharedFolder.Get("golden", "trl_runs", run.GetProperty(which).GetString()!), new Adaptation.Full(), head, 0, NewHead: head == Head.Scalar);

    internal static void Near(JsonElement step, string field, double actual, double tolerance)
    {
        double expected = step.GetProperty(field).GetDouble();
        Assert.True(Math.Abs(expected - actual) <= tolerance * Math.Max(1, Math.Abs(expected)), $"step {step.GetProperty("step").GetInt32()}, {field}: expected {expected:r}, got {actual:r}");
    }
}
