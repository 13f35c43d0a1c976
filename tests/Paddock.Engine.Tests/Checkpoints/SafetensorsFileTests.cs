using Paddock.Engine.Checkpoints;
using Paddock.Tests.Shared;

namespace Paddock.Engine.Tests.Checkpoints;

public class SafetensorsFileTests
{
    [SharedFact]
    public void Two_published_files_of_one_model_agree_whatever_their_layout()
    {
        using SafetensorsFile prefixed = Open("gpt2"), plain = Open("gpt2_noprefix");
        Assert.Equal(3 * 12 + 4, prefixed.Tensors.Count);
        foreach (TensorInfo tensor in prefixed.Tensors.Values)
        {
            string name = tensor.Name["transformer.".Length..];
            Assert.Equal(tensor.Shape, plain.Tensors[name].Shape);
            float[] a = new float[tensor.Count], b = new float[tensor.Count];
            prefixed.Read(tensor.Name, a);
            plain.Read(name, b);
            Assert.Equal(a, b);
            Assert.All(a, value => Assert.True(float.IsFinite(value)));
        }
    }

    [SharedFact]
    public void Names_and_shapes_are_those_of_the_config()
    {
        using SafetensorsFile file = Open("llama");
        Assert.Equal(3 * 9 + 3, file.Tensors.Count);
        Assert.Equal([384, 48], file.Tensors["model.embed_tokens.weight"].Shape);
        Assert.Equal([16, 48], file.Tensors["model.layers.2.self_attn.k_proj.weight"].Shape);
        Assert.Equal([48], file.Tensors["model.norm.weight"].Shape);
    }

    private static SafetensorsFile Open(string family) => SafetensorsFile.Open(SharedFolder.Get("golden", "hf", family, "model.safetensors"));
}
