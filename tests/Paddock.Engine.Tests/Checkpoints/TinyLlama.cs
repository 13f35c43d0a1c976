using Paddock.Engine.Checkpoints;
using Paddock.Engine.Numerics;

namespace Paddock.Engine.Tests.Checkpoints;

/// <summary>A llama of a few thousand weights as GGUF, with its weights in Hugging Face order for comparison.</summary>
internal static class TinyLlama
{
    public const int Hidden = 32, Heads = 4, KeyValueHeads = 2, Vocabulary = 10, FeedForward = 64;

    public static GgufBuilder Metadata(GgufBuilder builder) => builder
        .Key("general.architecture", "llama")
        .Key("llama.block_count", 1u)
        .Key("llama.context_length", 128u)
        .Key("llama.embedding_length", (uint)Hidden)
        .Key("llama.feed_forward_length", (uint)FeedForward)
        .Key("llama.attention.head_count", (uint)Heads)
        .Key("llama.attention.head_count_kv", (ulong)KeyValueHeads)
        .Key("llama.attention.layer_norm_rms_epsilon", 1e-6f)
        .Key("llama.rope.freq_base", 500000f)
        .Key("tokenizer.ggml.model", "gpt2")
        .Key("tokenizer.ggml.tokens", (string[])["a", "b", "c", "d", "e", "f", "g", "h", "<s>", "</s>"])
        .Key("tokenizer.ggml.token_type", (sbyte[])[1, 1, 1, 1, 1, 1, 1, 1, 3, 3])
        .Key("tokenizer.ggml.merges", (string[])["a b"])
        .Key("tokenizer.ggml.bos_token_id", 8u)
        .Key("tokenizer.ggml.eos_token_id", 9u)
        .Key("tokenizer.ggml.eot_token_id", 7u);

    /// <summary>Adds all tensors; returns them under Hugging Face names, in Hugging Face order.</summary>
    public static Dictionary<string, float[]> Tensors(GgufBuilder builder, TensorFormat format, bool tied = true)
    {
        Dictionary<string, float[]> weights = [];
        Add("token_embd.weight", "model.embed_tokens.weight", format, Vocabulary, Hidden);
        Add("blk.0.attn_norm.weight", "model.layers.0.input_layernorm.weight", TensorFormat.Float32, Hidden);
        Add("blk.0.attn_q.weight", "model.layers.0.self_attn.q_proj.weight", format, Hidden, Hidden);
        Add("blk.0.attn_k.weight", "model.layers.0.self_attn.k_proj.weight", format, Hidden / Heads * KeyValueHeads, Hidden);
        Add("blk.0.attn_v.weight", "model.layers.0.self_attn.v_proj.weight", format, Hidden / Heads * KeyValueHeads, Hidden);
        Add("blk.0.attn_output.weight", "model.layers.0.self_attn.o_proj.weight", format, Hidden, Hidden);
        Add("blk.0.ffn_norm.weight", "model.layers.0.post_attention_layernorm.weight", TensorFormat.Float32, Hidden);
        Add("blk.0.ffn_gate.weight", "model.layers.0.mlp.gate_proj.weight", format, FeedForward, Hidden);
        Add("blk.0.ffn_up.weight", "model.layers.0.mlp.up_proj.weight", format, FeedForward, Hidden);
        Add("blk.0.ffn_down.weight", "model.layers.0.mlp.down_proj.weight", format, Hidden, FeedForward);
        Add("output_norm.weight", "model.norm.weight", TensorFormat.Float32, Hidden);
        if (!tied)
            Add("output.weight", "lm_head.weight", format, Vocabulary, Hidden);
        return weights;

        void Add(string gguf, string name, TensorFormat stored, params int[] shape)
        {
            RandomStream stream = new(1, name);
            float[] values = new float[shape.Aggregate((a, b) => a * b)];
            for (int i = 0; i < values.Length; i++)
                values[i] = FloatFormats.FromBFloat16(FloatFormats.ToBFloat16((float)stream.NextGaussian()));
            weights.Add(name, values);
            builder.Tensor(gguf, shape, stored, gguf.Contains("attn_q", StringComparison.Ordinal) || gguf.Contains("attn_k", StringComparison.Ordinal) ? Interleave(values) : values);
        }
    }

    /// <summary>
    /// The converter's <c>w.reshape(heads, 2, D/2, C).swapaxes(1, 2).reshape(w.shape)</c>, index by index: part p, pair j of a head
    /// moves from row p D/2 + j to row 2 j + p.
    /// </summary>
    private static float[] Interleave(float[] values)
    {
        const int D = Hidden / Heads;
        float[] moved = new float[values.Length];
        for (int head = 0; head < values.Length / (D * Hidden); head++)
            for (int part = 0; part < 2; part++)
                for (int j = 0; j < D / 2; j++)
                    Array.Copy(values, (head * D + part * D / 2 + j) * Hidden, moved, (head * D + 2 * j + part) * Hidden, Hidden);
        return moved;
    }
}
