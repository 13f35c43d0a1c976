using System.Text.Json;
using Paddock.Backends;
using Paddock.Methods;
using Paddock.Methods.Formulas;
using Paddock.Tests.Formulas;
using Paddock.Tests.Shared;

namespace Paddock.Tests.Methods;

/// <summary>Recorded runs of the reference trainers for labels and for preferences without a reference; see <see cref="RecordedRunTests"/>.</summary>
public class RecordedPreferenceRunTests
{
    [SharedTheory]
    [InlineData("kto", KtoLossType.Kto)]
    [InlineData("kto_weights", KtoLossType.Kto)]
    [InlineData("kto_explicit_ref", KtoLossType.Kto)]
    [InlineData("kto_precomputed_ref", KtoLossType.Kto)]
    [InlineData("kto_accum2", KtoLossType.Kto)]
    [InlineData("kto_apo_zero_unpaired", KtoLossType.ApoZeroUnpaired)]
    public Task Labels_with_an_anchor(string run, KtoLossType type)
    {
        JsonElement fields = TrlRun.Load(run).GetProperty("resolved_trainer_fields");
        KtoLossOptions options = new(type, Field(fields, "beta"), Field(fields, "desirable_weight"), Field(fields, "undesirable_weight"));
        // the mismatched pairs ride behind the labelled rows, without a coefficient
        return RecordedRunTests.ReplayAsync(run, Head.Token, (batch, rows, policy, reference, share, _, coefficients) =>
        {
            LabelledLogProb[] labelled = Labelled(batch, policy, reference!);
            int n = labelled.Length;
            double anchor = KtoLoss.Anchor([.. Enumerable.Range(n, rows.Length - n).Select(i => SumLogProb.Of(policy.Outputs[i].Span).Value - SumLogProb.Of(reference!.Outputs[i].Span).Value)]);
            double[] gradient = new double[n];
            double loss = KtoLoss.Compute(options, anchor, labelled, gradient).Loss;
            for (int i = 0; i < rows.Length; i++)
                coefficients[i] = ResponseOutputs.Spread(rows[i], i < n ? share * gradient[i] : 0);
            return share * loss;
        }, batch => [.. RecordedRunTests.Rows(batch, Head.Token), .. batch.TryGetProperty("KL_input_ids", out _) ? RecordedRunTests.Rows(batch, Head.Token, "KL_") : []]);
    }

    [SharedFact]
    public Task Labels_around_a_running_mean()
    {
        RunningMean mean = default;
        return RecordedRunTests.ReplayAsync("bco", Head.Token, (batch, rows, policy, reference, share, _, coefficients) =>
        {
            LabelledLogProb[] labelled = Labelled(batch, policy, reference!);
            double[] gradient = new double[labelled.Length];
            mean = BcoLoss.Shift(mean, 0.1, labelled);
            double loss = BcoLoss.Compute(0.1, mean.Value, labelled, gradient).Loss;
            for (int i = 0; i < rows.Length; i++)
                coefficients[i] = ResponseOutputs.Spread(rows[i], share * gradient[i]);
            return share * loss;
        }, batch => RecordedRunTests.Rows(batch, Head.Token, "completion_"));
    }

    // the reference trainer's likelihood term learns the prompt too
    [SharedTheory]
    [InlineData("orpo")]
    [InlineData("orpo_accum2")]
    [InlineData("orpo_plain_text")]
    public Task Odds_ratios(string run)
    {
        double beta = Field(TrlRun.Load(run).GetProperty("resolved_trainer_fields"), "beta");
        return RecordedRunTests.ReplayAsync(run, Head.Token, (batch, rows, policy, _, share, _, coefficients) =>
        {
            Sequence[] responses = ChosenAndRejected(batch);
            int n = rows.Length / 2;
            int[] tokens = [.. responses.Select(ResponseOutputs.Count)];
            OrpoPair[] pairs = [.. Enumerable.Range(0, n).Select(i => new OrpoPair(SumLogProb.Of(policy.Outputs[i].Span[^tokens[i]..]).Mean(tokens[i]),
                SumLogProb.Of(policy.Outputs[n + i].Span).Mean(tokens[n + i]), SumLogProb.Of(policy.Outputs[i].Span)))];
            long learned = rows.Take(n).Sum(row => (long)ResponseOutputs.Count(row));
            double[] chosen = new double[n], rejected = new double[n];
            double loss = OrpoLoss.Compute(beta, pairs, n, learned, chosen, rejected).Loss;
            for (int i = 0; i < n; i++)
            {
                coefficients[i] = Orpo.OfChosen(rows[i], -share / learned, share * chosen[i] / tokens[i], tokens[i]);
                coefficients[n + i] = ResponseOutputs.Spread(rows[n + i], share * rejected[i] / tokens[n + i]);
            }
            return share * loss;
        }, batch => [.. ChosenAndRejected(batch).Select((row, i) => i < 4 ? row with { Targets = WholeRow(batch, i) } : row)]);

        // every token but the first
        static int[] WholeRow(JsonElement batch, int i)
        {
            int length = batch.GetProperty("chosen_attention_mask")[i].EnumerateArray().Sum(m => m.GetInt32());
            return [.. batch.GetProperty("chosen_input_ids")[i].EnumerateArray().Take(length).Skip(1).Select(id => id.GetInt32())];
        }
    }

    [SharedTheory]
    [InlineData("cpo_sigmoid", CpoLossType.Sigmoid)]
    [InlineData("cpo_hinge", CpoLossType.Hinge)]
    [InlineData("cpo_ipo", CpoLossType.Ipo)]
    [InlineData("cpo_simpo", CpoLossType.Simpo)]
    [InlineData("cpo_simpo_nll_ls", CpoLossType.Simpo)]
    [InlineData("cpo_alphapo", CpoLossType.Simpo)]
    public Task Pairs_without_a_reference(string run, CpoLossType type)
    {
        JsonElement fields = TrlRun.Load(run).GetProperty("resolved_trainer_fields");
        CpoLossOptions options = new(type, Field(fields, "beta"), Field(fields, "label_smoothing"), Field(fields, "simpo_gamma"), Field(fields, "alpha"), Field(fields, "cpo_alpha"));
        return RecordedRunTests.ReplayAsync(run, Head.Token, (_, rows, policy, _, share, _, coefficients) =>
        {
            int n = rows.Length / 2;
            CpoPair[] pairs = [.. Enumerable.Range(0, n).Select(i => new CpoPair(SumLogProb.Of(policy.Outputs[i].Span), SumLogProb.Of(policy.Outputs[n + i].Span),
                ResponseOutputs.Count(rows[i]), ResponseOutputs.Count(rows[n + i])))];
            double[] chosen = new double[n], rejected = new double[n];
            double loss = CpoLoss.Compute(options, pairs, n, pairs.Sum(p => (long)p.ChosenTokens), chosen, rejected).Loss;
            for (int i = 0; i < rows.Length; i++)
                coefficients[i] = ResponseOutputs.Spread(rows[i], share * (i < n ? chosen[i] : rejected[i - n]));
            return share * loss;
        }, ChosenAndRejected);
    }

    private static LabelledLogProb[] Labelled(JsonElement batch, PassResult policy, PassResult reference) =>
        [.. batch.GetProperty("label").EnumerateArray().Select((label, i) => new LabelledLogProb(SumLogProb.Of(policy.Outputs[i].Span), SumLogProb.Of(reference.Outputs[i].Span),
            label.ValueKind == JsonValueKind.True || (label.ValueKind == JsonValueKind.Number && label.GetInt32() == 1)))];

    private static Sequence[] ChosenAndRejected(JsonElement batch) => [.. RecordedRunTests.Rows(batch, Head.Token, "chosen_"), .. RecordedRunTests.Rows(batch, Head.Token, "rejected_")];

    private static double Field(JsonElement fields, string name) => RecordedRunTests.Number(fields, name) ?? throw new InvalidOperationException(name);
}
