using System.Text.Json;
using Paddock.Backends;
using Paddock.Backends.Embedded;
using Paddock.Engine.Checkpoints;
using Paddock.Engine.Numerics;
using Paddock.Engine.Threading;
using Paddock.Methods;
using Paddock.Methods.Formulas;
using Paddock.Tests.Formulas;
using Paddock.Tests.Shared;

namespace Paddock.Tests.Methods;

/// <summary>
/// Whole runs of the reference trainers that sample their own data, replayed from the recorded answers: loss and gradient norm of each of the
/// eight steps, and the weights at the end. Runs at another temperature than 1 are left out, which the methods do not offer; so is the one
/// that samples the pad token, whose embedding PyTorch does not train.
/// </summary>
public class RecordedOnlineRunTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    /// <param name="share">One over the micro-batches of the step.</param>
    private delegate Task<double> Micro(JsonElement batch, ITrainableModel policy, ITrainableModel? reference, double share);

    [SharedTheory]
    [InlineData("grpo_accum2")]
    [InlineData("grpo_accum2_spg4")]
    [InlineData("grpo_bnpo")]
    [InlineData("grpo_cispo")]
    [InlineData("grpo_dapo")]
    [InlineData("grpo_dapo_iter4_clip")]
    [InlineData("grpo_delta_two_sided")]
    [InlineData("grpo_dr_grpo")]
    [InlineData("grpo_entropy_bonus")]
    [InlineData("grpo_grpo")]
    [InlineData("grpo_grpo_accum2")]
    [InlineData("grpo_gspo_sequence")]
    [InlineData("grpo_luspo")]
    [InlineData("grpo_mask_truncated")]
    [InlineData("grpo_no_kl_bias_correction")]
    [InlineData("grpo_none_rewards")]
    [InlineData("grpo_normalize_then_sum")]
    [InlineData("grpo_off_policy_mask")]
    [InlineData("grpo_onpolicy")]
    [InlineData("grpo_sapo")]
    [InlineData("grpo_scale_batch")]
    [InlineData("grpo_top_entropy")]
    [InlineData("grpo_vespo")]
    public Task Group_relative(string name)
    {
        JsonElement fields = TrlRun.Load(name).GetProperty("resolved_trainer_fields");
        GrpoLossType type = fields.GetProperty("loss_type").GetString() switch
        {
            "grpo" => fields.GetProperty("importance_sampling_level").GetString() == "sequence" ? GrpoLossType.Gspo : GrpoLossType.Grpo,
            "bnpo" => GrpoLossType.Bnpo,
            "dr_grpo" => GrpoLossType.DrGrpo,
            "dapo" => GrpoLossType.Dapo,
            "cispo" => GrpoLossType.Cispo,
            "sapo" => GrpoLossType.Sapo,
            "luspo" => GrpoLossType.Luspo,
            "vespo" => GrpoLossType.Vespo,
            string other => throw new InvalidOperationException(other),
            null => throw new InvalidOperationException("no loss type"),
        };
        double low = fields.GetProperty("epsilon").GetDouble();
        GrpoLossOptions options = new(type, low, RecordedRunTests.Number(fields, "epsilon_high") ?? low, RecordedRunTests.Number(fields, "delta"), fields.GetProperty("beta").GetDouble(),
            fields.GetProperty("use_bias_correction_kl").GetBoolean(), fields.GetProperty("entropy_coef").GetDouble(), RecordedRunTests.Number(fields, "off_policy_mask_threshold"));
        double quantile = fields.GetProperty("top_entropy_quantile").GetDouble();
        int maxTokens = fields.GetProperty("max_completion_length").GetInt32();
        bool pooled = type is GrpoLossType.Dapo or GrpoLossType.Cispo or GrpoLossType.Vespo;
        return ReplayAsync(name, async (batch, policy, _, share) =>
        {
            (int Row, Sequence Sequence)[] rows = Rows(batch);
            Sequence[] sequences = [.. rows.Select(r => r.Sequence)];
            double[] advantages = Doubles(batch.GetProperty("advantages"));
            // the step's tokens where the loss is divided by them, else those of the micro-batch, which then has its share of the step
            double recorded = batch.GetProperty("num_items_in_batch").GetDouble() / share / fields.GetProperty("steps_per_generation").GetInt32();
            GrpoScale scale = new(advantages.Length, pooled ? 1 : sequences.Sum(s => (long)ResponseOutputs.Count(s)), maxTokens);
            double factor = pooled ? 1 / recorded : share;
            DistributionResult pass = await ((IDistributionModel)policy).ForwardDistributionAsync(sequences, None);
            double threshold = quantile == 1 ? double.NegativeInfinity : Quantiles.Linear([.. sequences.SelectMany((s, k) => Rollouts.Gather(s, pass.Entropies[k]))], 1 - quantile);
            double loss = 0;
            ReadOnlyMemory<float>[] coefficients = new ReadOnlyMemory<float>[rows.Length], entropyCoefficients = new ReadOnlyMemory<float>[rows.Length];
            for (int k = 0; k < rows.Length; k++)
            {
                double[] logProbs = Rollouts.Gather(sequences[k], pass.LogProbs[k]), entropies = Rollouts.Gather(sequences[k], pass.Entropies[k]);
                double[] gradient = new double[logProbs.Length], entropyGradient = new double[logProbs.Length];
                double[]? Tokens(string field) => batch.TryGetProperty(field, out JsonElement all) ? Doubles(all[rows[k].Row])[..logProbs.Length] : null;
                loss += factor * GrpoLoss.Add(options, new GrpoAnswer(logProbs, Tokens("old_per_token_logps") ?? logProbs, Tokens("ref_per_token_logps"), advantages[rows[k].Row], entropies,
                    quantile == 1 ? null : [.. entropies.Select(e => e >= threshold)]), scale, gradient, entropyGradient, new GrpoSums());
                coefficients[k] = ResponseOutputs.Scatter(sequences[k], [.. gradient.Select(g => factor * g)]);
                entropyCoefficients[k] = ResponseOutputs.Scatter(sequences[k], [.. entropyGradient.Select(g => factor * g)]);
            }
            await ((IDistributionModel)policy).BackwardDistributionAsync(sequences, coefficients, entropyCoefficients, None);
            return loss;
        });
    }

    [SharedTheory]
    [InlineData("rloo")]
    [InlineData("rloo_normalized_clip")]
    public Task Leave_one_out(string name)
    {
        double clip = TrlRun.Load(name).GetProperty("resolved_trainer_fields").GetProperty("epsilon").GetDouble();
        return ReplayAsync(name, async (batch, policy, _, share) =>
        {
            Sequence[] sequences = [.. Rows(batch).Select(r => r.Sequence)];
            double[] advantages = Doubles(batch.GetProperty("advantages")), old = Doubles(batch.GetProperty("old_logps"));
            PassResult pass = await policy.ForwardAsync(sequences, None);
            double loss = 0;
            ReadOnlyMemory<float>[] coefficients = new ReadOnlyMemory<float>[sequences.Length];
            for (int k = 0; k < sequences.Length; k++)
            {
                loss += share / sequences.Length * RlooLoss.Of(SumLogProb.Of(pass.Outputs[k].Span), new(old[k]), advantages[k], clip, clip, out double gradient, new GrpoSums());
                coefficients[k] = ResponseOutputs.Spread(sequences[k], share / sequences.Length * gradient);
            }
            await policy.BackwardAsync(sequences, coefficients, None);
            return loss;
        });
    }

    [SharedTheory]
    [InlineData("online_dpo_sigmoid", OnlinePairLossType.Sigmoid)]
    [InlineData("online_dpo_ipo", OnlinePairLossType.Ipo)]
    public Task Pairs_of_its_own(string name, OnlinePairLossType type)
    {
        JsonElement fields = TrlRun.Load(name).GetProperty("resolved_trainer_fields");
        double penalty = RecordedRunTests.Number(fields, "missing_eos_penalty") ?? 0;
        return ReplayAsync(name, async (batch, policy, reference, _) =>
        {
            Sequence[] sequences = [.. Rows(batch).Select(r => r.Sequence)];
            double[] rewards = [.. Doubles(batch.GetProperty("rewards_before_eos_penalty")).Select((r, i) => sequences[i].Targets.ToArray()[^1] == TrlEnd ? r : r - penalty)];
            int half = sequences.Length / 2;
            int[] turned = [.. Enumerable.Range(0, half).SelectMany(i => new[] { i, half + i })];
            (int Chosen, int Rejected)[] pairs = [.. OnlineDpo.Order([.. turned.Select(i => rewards[i])]).Select(p => (turned[p.Chosen], turned[p.Rejected]))];
            return await OnPairsAsync(type, fields.GetProperty("beta").GetDouble(), 0, sequences, pairs, policy, reference!);
        });
    }

    [SharedFact]
    public Task Exploration()
    {
        JsonElement fields = TrlRun.Load("xpo").GetProperty("resolved_trainer_fields");
        return ReplayAsync("xpo", async (batch, policy, reference, _) =>
        {
            Sequence[] sequences = [.. Samples(batch, "policy_sample"), .. Samples(batch, "other_sample")];
            double[] own = Doubles(batch.GetProperty("scores_policy")), others = Doubles(batch.GetProperty("scores_other"));
            (int, int)[] pairs = [.. own.Select((s, i) => s >= others[i] ? (i, own.Length + i) : (own.Length + i, i))];
            return await OnPairsAsync(OnlinePairLossType.Sigmoid, fields.GetProperty("beta").GetDouble(), fields.GetProperty("alpha").GetDouble(), sequences, pairs, policy, reference!);
        });
    }

    [SharedFact]
    public Task Nash_mirror_descent()
    {
        double beta = TrlRun.Load("nash_md").GetProperty("resolved_trainer_fields").GetProperty("beta").GetDouble();
        return ReplayAsync("nash_md", async (batch, policy, reference, _) =>
        {
            Sequence[] sequences = [.. Samples(batch, "policy_sample")];
            double[] own = Doubles(batch.GetProperty("scores_policy")), others = Doubles(batch.GetProperty("scores_other"));
            PassResult before = await reference!.ForwardAsync(sequences, None), pass = await policy.ForwardAsync(sequences, None);
            double loss = 0;
            ReadOnlyMemory<float>[] coefficients = new ReadOnlyMemory<float>[sequences.Length];
            for (int k = 0; k < sequences.Length; k++)
            {
                double[] logProbs = Rollouts.Gather(sequences[k], pass.Outputs[k]), gradient = new double[logProbs.Length];
                loss += OnlinePairLoss.NashMd(logProbs, Rollouts.Gather(sequences[k], before.Outputs[k]), ScalarMath.Sigmoid(own[k] - others[k]), beta, gradient).Loss / sequences.Length;
                coefficients[k] = ResponseOutputs.Scatter(sequences[k], [.. gradient.Select(g => g / sequences.Length)]);
            }
            await policy.BackwardAsync(sequences, coefficients, None);
            return loss;
        });
    }

    // rewards, advantages and returns of every rollout, from its recorded log-probs, values and scores
    [SharedTheory]
    [InlineData("ppo")]
    [InlineData("ppo_k3_whiten_eospenalty_accum2")]
    public void Rollouts_of_ppo(string name)
    {
        JsonElement run = TrlRun.Load(name), fields = run.GetProperty("resolved_trainer_fields");
        int updates = 0;
        foreach (JsonElement update in run.GetProperty("updates").EnumerateArray())
        {
            JsonElement rollout = update.GetProperty("rollout");
            int[] lengths = [.. Doubles(rollout.GetProperty("sequence_lengths")).Select(l => (int)l + 1)];
            int width = fields.GetProperty("response_length").GetInt32(), n = lengths.Length;
            double[][] logProbs = Field("logprobs"), references = Field("ref_logprobs"), values = Field("values"), answers = Field("postprocessed_responses");
            // recorded after the penalty for a missing end
            double[] scores = Doubles(rollout.GetProperty("scores"));
            double[][] rewards = new double[n][], advantages = new double[n][], returns = new double[n][];
            KlEstimator estimator = fields.GetProperty("kl_estimator").GetString() == "k3" ? KlEstimator.K3 : KlEstimator.K1;
            for (int i = 0; i < n; i++)
                rewards[i] = PpoRewards.Of(estimator, logProbs[i].AsSpan(0, lengths[i]), references[i].AsSpan(0, lengths[i]), scores[i], fields.GetProperty("kl_coef").GetDouble(), atEnd: lengths[i] == width);
            if (fields.GetProperty("whiten_rewards").GetBoolean())
                Gae.Whiten(rewards, Gae.Moments(rewards, unbiased: true), shiftMean: false);
            for (int i = 0; i < n; i++)
            {
                advantages[i] = Gae.Advantages(rewards[i], values[i].AsSpan(0, rewards[i].Length), fields.GetProperty("gamma").GetDouble(), fields.GetProperty("lam").GetDouble());
                returns[i] = [.. advantages[i].Zip(values[i], (a, v) => a + v)];
                advantages[i] = advantages[i][..lengths[i]];
            }
            Gae.Whiten(advantages, Gae.Moments(advantages, unbiased: true), shiftMean: true);
            Compare(rewards, "rewards");
            Compare(advantages, "advantages");
            Compare(returns, "returns");
            updates++;

            double[][] Field(string field) => OnlineGolden.Rows(rollout.GetProperty(field));

            void Compare(double[][] actual, string field)
            {
                double[][] expected = Field(field);
                for (int i = 0; i < n; i++)
                    for (int t = 0; t < actual[i].Length; t++)
                        Assert.True(Math.Abs(expected[i][t] - actual[i][t]) <= 2e-5 * Math.Max(1, Math.Abs(expected[i][t])), $"update {updates}, {field}[{i}][{t}]: {expected[i][t]:r} expected, {actual[i][t]:r} found");
            }
        }
        Assert.Equal(5, updates);
    }

    private const int TrlEnd = 3;

    private static async Task<double> OnPairsAsync(OnlinePairLossType type, double beta, double alpha, Sequence[] sequences, (int Chosen, int Rejected)[] pairs, ITrainableModel policy, ITrainableModel reference)
    {
        PassResult before = await reference.ForwardAsync(sequences, None), pass = await policy.ForwardAsync(sequences, None);
        SumLogProb Of(PassResult of, int row) => SumLogProb.Of(of.Outputs[row].Span);
        PairLogProbs[] logProbs = [.. pairs.Select(p => new PairLogProbs(Of(pass, p.Chosen), Of(pass, p.Rejected), Of(before, p.Chosen), Of(before, p.Rejected), 1, 1))];
        double[] chosen = new double[pairs.Length], rejected = new double[pairs.Length], gradient = new double[sequences.Length];
        double loss = OnlinePairLoss.Dpo(type, beta, logProbs, chosen, rejected).Loss;
        for (int i = 0; i < pairs.Length; i++)
        {
            gradient[pairs[i].Chosen] += chosen[i];
            gradient[pairs[i].Rejected] += rejected[i];
        }
        // the second half are the reference's own answers
        for (int i = pairs.Length; alpha != 0 && i < sequences.Length; i++)
        {
            loss += alpha * Of(pass, i).Value / pairs.Length;
            gradient[i] += alpha / pairs.Length;
        }
        await policy.BackwardAsync(sequences, [.. sequences.Select((s, i) => ResponseOutputs.Spread(s, gradient[i]))], None);
        return loss;
    }

    private static async Task ReplayAsync(string name, Micro micro)
    {
        JsonElement run = TrlRun.Load(name), batches = TrlRun.Batches(run), common = run.GetProperty("common");
        double Common(string field) => common.GetProperty(field).GetDouble();
        string folder = Directory.CreateTempSubdirectory("paddock-run-").FullName;
        using WorkerPool pool = new(1);
        try
        {
            await using EmbeddedBackend backend = new(folder, new ModelLibrary([]), pool);
            await using ITrainableModel policy = await backend.CreateAsync(RecordedRunTests.Spec(run, "policy", Head.Token), None);
            await using ITrainableModel? reference = run.GetProperty("reference").ValueKind == JsonValueKind.Null ? null : await backend.CreateAsync(RecordedRunTests.Spec(run, "reference", Head.Token), None);
            foreach (JsonElement step in run.GetProperty("steps").EnumerateArray())
            {
                JsonElement[] micros = [.. step.GetProperty("micro").EnumerateArray()];
                double loss = 0, expected = 0;
                foreach (JsonElement one in micros)
                {
                    loss += await micro(batches[one.GetProperty("batch").GetInt32()], policy, reference, 1.0 / micros.Length);
                    // GRPO's losses are recorded with their share of the step in them
                    expected += one.GetProperty("loss").GetDouble() / (run.GetProperty("trainer").GetString() == "grpo" ? 1 : micros.Length);
                }
                StepResult result = await policy.StepAsync(new AdamStep(step.GetProperty("lr_used").GetDouble(), Common("adam_beta1"), Common("adam_beta2"), Common("adam_epsilon"), Common("weight_decay"), Common("max_grad_norm")), None);
                Assert.True(Math.Abs(expected - loss) <= 3e-5 * Math.Max(1, Math.Abs(expected)), $"step {step.GetProperty("step").GetInt32()}, loss: expected {expected:r}, got {loss:r}");
                RecordedRunTests.Near(step, "grad_norm", result.GradientNorm, 5e-4);
            }
            CheckpointUri saved = await policy.SaveAsync("final", None);
            RecordedRunTests.CompareWeights(name, run, Path.Combine(saved.Value, "weights.safetensors"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    // a prompt padded on the left and an answer padded on the right; an answer that is masked whole has no row
    private static (int Row, Sequence Sequence)[] Rows(JsonElement batch)
    {
        List<(int, Sequence)> rows = [];
        for (int i = 0; i < batch.GetProperty("prompt_ids").GetArrayLength(); i++)
        {
            int[] prompt = Kept("prompt", i), answer = Kept("completion", i);
            if (answer.Length > 0)
                rows.Add((i, Sequence.ForResponse(prompt, answer)));
        }
        return [.. rows];

        int[] Kept(string part, int row)
        {
            int[] mask = RecordedRunTests.Ints(batch.GetProperty(part + "_mask")[row]);
            return [.. RecordedRunTests.Ints(batch.GetProperty(part + "_ids")[row]).Where((_, t) => mask[t] == 1)];
        }
    }

    private static IEnumerable<Sequence> Samples(JsonElement batch, string part)
    {
        int context = batch.GetProperty("context_length").GetInt32();
        for (int i = 0; i < batch.GetProperty(part + ".input_ids").GetArrayLength(); i++)
        {
            int[] ids = RecordedRunTests.Ints(batch.GetProperty(part + ".input_ids")[i]), mask = RecordedRunTests.Ints(batch.GetProperty(part + ".attention_mask")[i]);
            yield return Sequence.ForResponse([.. ids[..context].Where((_, t) => mask[t] == 1)], [.. ids[context..].Where((_, t) => mask[context + t] == 1)]);
        }
    }

    private static double[] Doubles(JsonElement array) => [.. array.EnumerateArray().Select(OnlineGolden.Number)];
}
