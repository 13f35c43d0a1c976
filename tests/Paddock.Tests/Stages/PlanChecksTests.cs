using Paddock.Data;
using Paddock.Data.Formats;
using Paddock.Engine;
using Paddock.Studies;
using Paddock.Studies.Stages;
using Paddock.Tests.Storage;
using Paddock.Worlds;

namespace Paddock.Tests.Stages;

/// <summary>What depends on the world and on the stages before is told when a recipe is read, with its line, before anything runs.</summary>
public sealed class PlanChecksTests : IDisposable
{
    // line 12 is the stage under test
    private const string Head = """
        study: s
        seed: 1
        world: meadow
        model: base
        stages:
          - sft: {name: sft}
          - sample: {name: pairs, from: sft}
          - annotate: {name: preferences, of: pairs}
          - annotate: {name: soft, of: pairs, soft: true}
          - sample: {name: single, from: sft, n: 1}
          - reward-model: {name: rm, init: sft, data: preferences}

        """;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static readonly RecipeNames Names = new(["meadow"], ["embedded"], name => name is "base" or "scores", null, recipe => recipe switch
    {
        { World: "meadow" } => new MeadowWorld(),
        { Data: { } files } => new FileWorld(new[] { ("sft", files.Train), ("preference", files.Preference), ("evaluation", files.Evaluation) }.Where(f => f.Item2 != null).ToDictionary(f => f.Item1, f => f.Item2!)),
        _ => null,
    }, name => name switch { "base" => StageProduct.Policy, "scores" => StageProduct.RewardModel, _ => StageProduct.Unknown });

    private static string ErrorOf(string yaml) => Assert.Throws<BadInputException>(() => new RecipeReader(StageCatalog.Table, Names).Read(yaml, "r.yaml")).Message;

    [Theory]
    // splits
    [InlineData("sft: {name: x, split: stf}", "sft.split: unknown split 'stf'; did you mean 'sft'?")]
    [InlineData("sft: {name: x, split: preference}", "sft.split: split 'preference' has no demonstrations (answers to learn from); splits that have: sft")]
    [InlineData("sample: {name: x, from: sft, split: train}", "sample.split: unknown split 'train'; splits: sft, preference, unlabeled, validation, evaluation")]
    [InlineData("pairs: {name: x}", "pairs.split: split 'preference' has no preferences; no split has")]
    [InlineData("expert-iteration: {name: x, reward: rm, split: unlabelled}", "expert-iteration.split: unknown split 'unlabelled'; did you mean 'unlabeled'?")]
    [InlineData("win-rate: {name: x, systems: {a: sft}, annotators: [pool], split: sft}", "win-rate.split: split 'sft' has no reference answers; splits that have: validation, evaluation")]
    // annotators
    [InlineData("annotate: {name: x, of: pairs, annotator: poool}", "annotate.annotator: unknown annotator 'poool'; did you mean 'pool'?")]
    [InlineData("win-rate: {name: x, systems: {a: sft}, annotators: [pool, golld]}", "win-rate.annotators[1]: unknown annotator 'golld'; did you mean 'gold'?")]
    // methods on preferences
    [InlineData("kto: {name: x, data: soft}", "kto.data: must have hard labels, and 'soft' writes soft ones; leave soft out of 'soft'")]
    [InlineData("bco: {name: x, data: soft}", "bco.data: must have hard labels, and 'soft' writes soft ones; leave soft out of 'soft'")]
    [InlineData("orpo: {name: x, data: soft}", "orpo.data: must have hard labels, and 'soft' writes soft ones; leave soft out of 'soft'")]
    [InlineData("cpo: {name: x, data: soft}", "cpo.data: must have hard labels, and 'soft' writes soft ones; leave soft out of 'soft'")]
    [InlineData("kto: {name: x, data: preferences, batch: 1}", "kto.batch: must be at least 2, found 1")]
    [InlineData("cpo: {name: x, data: preferences, shape: 0.25}", "cpo.loss: shape is AlphaPO's and needs loss simpo")]
    [InlineData("dpo: {name: x, data: preferences, reference-free: true, sync-every: 8}", "dpo.sync-every: moves the reference, and there is none with reference-free; give one of the two")]
    [InlineData("reward-conditioning: {name: x, data: preferences, bad: ' <good>'}", "reward-conditioning.bad: must differ from good, or nothing tells a preferred answer from a rejected one")]
    [InlineData("quark: {name: x, reward: rm, controls: [good]}", "quark.controls: must name a text for each of the 4 quantiles, or none")]
    [InlineData("weight-average: {name: x, models: [rm]}", "weight-average.models: must name at least two reward models")]
    [InlineData("weight-average: {name: x, models: [rm, rm]}", "weight-average.models: must name each reward model once")]
    [InlineData("spin: {name: x, previous: sft}", "spin.previous: must name an earlier spin stage; 'sft' is none")]
    [InlineData("spin: {name: x, loss: ipo}", "spin.loss: must be sigmoid or hinge")]
    // schedules, warm-up, adapters
    [InlineData("sft: {name: x, schedule: cosin}", "sft.schedule: unknown schedule 'cosin'; did you mean 'cosine'?")]
    [InlineData("dpo: {name: x, data: preferences, schedule: linaer}", "dpo.schedule: unknown schedule 'linaer'; did you mean 'linear'?")]
    [InlineData("reward-model: {name: x, data: preferences, warmup: 1.5}", "reward-model.warmup: must be at least 0 and at most 1, found 1.5")]
    [InlineData("sft: {name: x, beta2: 1}", "sft.beta2: must be at least 0 and below 1, found 1")]
    [InlineData("sft: {name: x, micro-tokens: 0}", "sft.micro-tokens: must be at least 1, found 0")]
    [InlineData("dpo: {name: x, data: preferences, lora: {targets: [q, v_prj]}}", "dpo.lora.targets[1]: unknown projection 'v_prj'; did you mean 'v_proj'?")]
    [InlineData("dpo: {name: x, data: preferences, lora: {rank: 5000}}", "dpo.lora.rank: must be at least 1 and at most 4096, found 5000")]
    [InlineData("expert-iteration: {name: x, reward: rm, lora: {alpha: 0}}", "expert-iteration.lora.alpha: must be above 0, found 0")]
    // sizes of a new model
    [InlineData("pretrain: {name: x, steps: 1, model: {hidden-size: 30, heads: 4}}", "pretrain.model.hidden-size: must be an even multiple of heads (4), not 30")]
    [InlineData("pretrain: {name: x, steps: 1, model: {hidden-size: 12, heads: 4}}", "pretrain.model.hidden-size: must be an even multiple of heads (4), not 12")]
    [InlineData("pretrain: {name: x, steps: 1, model: {max-positions: 51}}", "pretrain.model.max-positions: must be at least 52, the longest document of the Meadow, not 51")]
    [InlineData("pretrain: {name: x, steps: 1, model: {layers: 0}}", "pretrain.model.layers: must be at least 1 and at most 1024, found 0")]
    // numbers of answers and temperatures
    [InlineData("sample: {name: x, from: sft, n: 0}", "sample.n: must be at least 1 and at most 65536, found 0")]
    [InlineData("sample: {name: x, from: sft, temperature: -1}", "sample.temperature: must be at least 0 and at most 100, found -1")]
    [InlineData("sample: {name: x, from: sft, temperature: 0}", "sample.n: must be 1 at temperature 0, where all 2 answers would be the same")]
    [InlineData("expert-iteration: {name: x, reward: rm, temperature: 0}", "expert-iteration.n: must be 1 at temperature 0, where all 16 answers would be the same")]
    [InlineData("win-rate: {name: x, systems: {a: {policy: sft, rerank: rm, n: 4}}, annotators: [pool], temperature: 0}", "win-rate.systems.a.n: must be 1 at temperature 0, where all 4 answers would be the same")]
    [InlineData("annotate: {name: x, of: single}", "annotate.of: must have two answers a prompt to compare; 'single' samples one (give it n: 2)")]
    // stages and models of the wrong kind
    [InlineData("sample: {name: x, from: rm}", "sample.from: 'rm' makes a reward model where a policy is needed; policies: sft")]
    [InlineData("sft: {name: x, init: rm}", "sft.init: 'rm' makes a reward model where a policy is needed; policies: sft")]
    [InlineData("dpo: {name: x, init: rm, data: preferences}", "dpo.init: 'rm' makes a reward model where a policy is needed; policies: sft")]
    [InlineData("expert-iteration: {name: x, reward: sft}", "expert-iteration.reward: 'sft' makes a policy where a reward model is needed; reward models: rm")]
    [InlineData("win-rate: {name: x, systems: {a: rm}, annotators: [pool]}", "win-rate.systems.a.policy: 'rm' makes a reward model where a policy is needed; policies: sft")]
    [InlineData("win-rate: {name: x, systems: {a: {policy: sft, rerank: sft, n: 2}}, annotators: [pool]}", "win-rate.systems.a.rerank: 'sft' makes a policy where a reward model is needed; reward models: rm")]
    [InlineData("win-rate: {name: x, systems: {a: sft}, judges: {j: sft}}", "win-rate.judges.j: 'sft' makes a policy where a reward model is needed; reward models: rm")]
    [InlineData("accuracy: {name: x, models: {a: sft}, data: preferences}", "accuracy.models.a: 'sft' makes a policy where a reward model is needed; reward models: rm")]
    [InlineData("dpo: {name: x, data: pairs}", "dpo.data: 'pairs' makes sampled answers where preferences are needed; stages with preferences: preferences, soft")]
    [InlineData("annotate: {name: x, of: preferences}", "annotate.of: 'preferences' makes preferences where sampled answers are needed; stages with sampled answers: pairs, single")]
    [InlineData("sample: {name: x, from: preferences}", "sample.from: 'preferences' makes preferences where a policy is needed; policies: sft")]
    [InlineData("sample: {name: x, from: scores}", "sample.from: model 'scores' is a reward model where a policy is needed")]
    [InlineData("expert-iteration: {name: x, reward: base}", "expert-iteration.reward: model 'base' is a policy where a reward model is needed")]
    // losses
    [InlineData("dpo: {name: x, data: preferences, losses: {sigmod: 1}}", "dpo.losses.sigmod: unknown value 'sigmod'; did you mean 'sigmoid'?")]
    [InlineData("dpo: {name: x, data: preferences, losses: {}}", "dpo.losses: name at least one loss")]
    [InlineData("dpo: {name: x, data: preferences, loss: ipo, losses: {sigmoid: 1}}", "dpo.losses: give either one loss or several losses, not both")]
    [InlineData("dpo: {name: x, data: preferences, loss: apo-zero, divergence: forward-kl}", "dpo.loss: loss ApoZero is defined for reverse KL only, not for ForwardKl")]
    [InlineData("dpo: {name: x, data: preferences, losses: {exo-pair: 1}}", "dpo.losses: exo_pair needs label smoothing above 0 (0.001 is usual), as it takes the log of it")]
    [InlineData("dpo: {name: x, data: soft, loss: hinge}", "dpo.loss: takes hard labels only, and 'soft' writes soft ones; use sigmoid or sigmoid-norm, or leave soft out of 'soft'")]
    [InlineData("dpo: {name: x, data: preferences, ld-alpha: 2}", "dpo.ld-alpha: must be at least 0 and at most 1, found 2")]
    [InlineData("sft: {name: x, objective: dft}", "sft.objective: unknown value 'dft'; values: negative-log-likelihood, dynamic")]
    public void A_setting_that_cannot_work_is_told_with_its_line(string stage, string message) =>
        Assert.Equal($"r.yaml:12: stages[6].{message}", ErrorOf(Head + $"  - {stage}\n"));

    [Theory]
    [InlineData("reward-model: {name: x, init: rm, data: preferences}")]
    [InlineData("reward-model: {name: x, init: base, data: preferences}")]
    [InlineData("expert-iteration: {name: x, reward: scores}")]
    [InlineData("dpo: {name: x, data: soft}")]
    [InlineData("dpo: {name: x, data: preferences, losses: {sigmoid: 0.8, bco-pair: 0.2, sft: 1}, ld-alpha: 0.5}")]
    [InlineData("dpo: {name: x, data: preferences, lora: {targets: [q, v_proj]}}")]
    [InlineData("win-rate: {name: x, systems: {a: sft, b: {policy: sft, rerank: rm, n: 4}}, annotators: [gold, human], split: validation}")]
    [InlineData("win-rate: {name: x, systems: {a: sft}, annotators: [pool], against: a, split: unlabeled}")]
    public void What_can_work_is_let_through(string stage)
    {
        Recipe recipe = new RecipeReader(StageCatalog.Table, Names).Read(Head + $"  - {stage}\n", "r.yaml");
        Recipe again = new RecipeReader(StageCatalog.Table, Names).Read(recipe.ToYaml(StageCatalog.Table), "again");
        Assert.Equal(recipe.ToYaml(StageCatalog.Table), again.ToYaml(StageCatalog.Table));
    }

    [Fact]
    public void All_of_them_are_told_at_once_those_of_broken_stages_too() => Assert.Equal("""
        4 things are wrong with r.yaml:
        r.yaml:12: stages[6].sft.split: unknown split 'stf'; did you mean 'sft'?
        r.yaml:13: stages[7].sample.topp: unknown key 'topp'; did you mean 'top-p'?
        r.yaml:14: stages[8].annotate.annotator: unknown annotator 'golden'; did you mean 'gold'?
        r.yaml:15: stages[9].dpo.data: 'rm' makes a reward model where preferences are needed; stages with preferences: preferences, soft, b
        """, ErrorOf(Head + """
          - sft: {name: x, split: stf}
          - sample: {name: a, from: sft, topp: 1}
          - annotate: {name: b, of: a, annotator: golden}
          - dpo: {name: c, data: rm}

        """));

    [Fact]
    public void The_header_model_must_fit_the_stages_that_start_from_it() =>
        Assert.Equal("r.yaml:4: model: 'scores' is a reward model, and stage 'sft' cannot start from it", ErrorOf("study: s\nseed: 1\nworld: meadow\nmodel: scores\nstages: [sft: {name: sft}]\n"));

    [Fact]
    public void Files_are_looked_into_before_anything_runs()
    {
        string pairs = _folder.File("pairs.jsonl"), demonstrations = _folder.File("answers.jsonl"), missing = _folder.File("missing.jsonl"), broken = _folder.Write("broken.jsonl", "{\"what\": 1}\n");
        PreferenceFormat.Write(pairs, [new(Prompt.FromInstruction("a", "one"), new("yes"), new("no"))]);
        File.WriteAllText(demonstrations, "{\"instruction\": \"one\", \"output\": \"two\"}\n");
        string Data(string data, string stages) => $"study: s\nseed: 1\nmodel: base\ndata: {data}\nstages:\n{stages}";

        Assert.Equal($"r.yaml:4: data.preference: {missing}: no such file", ErrorOf(Data($"{{preference: {missing}}}", "  - pairs: {name: a}\n")));
        Assert.StartsWith($"r.yaml:4: data.train: {broken}: the first row has the fields (what), which are of no known format", ErrorOf(Data($"{{train: {broken}}}", "  - sft: {name: a}\n")));
        Assert.Equal("r.yaml:6: stages[0].sft.split: split 'sft' has no demonstrations (answers to learn from); splits that have: evaluation",
            ErrorOf(Data($"{{train: {pairs}, evaluation: {demonstrations}}}", "  - sft: {name: a}\n")));
        Assert.Equal("r.yaml:6: stages[0].pairs.split: unknown split 'preferences'; did you mean 'preference'?", ErrorOf(Data($"{{preference: {pairs}}}", "  - pairs: {name: a, split: preferences}\n")));
        Assert.Equal("r.yaml:7: stages[1].annotate.annotator: there is no annotator 'pool': files have none; preferences of files are taken with 'pairs', and a win-rate is judged with 'judges', stages of reward models",
            ErrorOf(Data($"{{preference: {pairs}}}", "  - sample: {name: a, from: base}\n  - annotate: {name: b, of: a}\n")));
        Assert.Equal($"r.yaml:6: stages[0].dpo.data: {demonstrations}: holds Alpaca rows where preferences are needed; expected the fields chosen and rejected, or output_1, output_2 and preference",
            ErrorOf(Data($"{{preference: {pairs}}}", $"  - dpo: {{name: a, data: {demonstrations}}}\n")));
    }
}
