using Paddock.Engine;
using Paddock.Engine.Tokenizers;

namespace Paddock.Backends;

/// <summary>Makes a saved model see a fixed text at the end of every prompt, in whatever program opens it: its chat template says it.</summary>
public static class PromptSuffix
{
    /// <summary>Writes <c>chat_template.jinja</c> into a Hugging Face folder: its template, then <paramref name="text"/> where an answer is to begin.</summary>
    /// <exception cref="BadInputException">The folder has no chat template.</exception>
    public static void Add(string folder, string text)
    {
        string template = TokenizerConfig.Load(folder)?.ChatTemplate
            ?? throw new BadInputException($"{folder}: has no chat template, which a text at the end of every prompt is written into");
        string quoted = text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "\\'", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
        WholeFile.WriteText(Path.Combine(folder, "chat_template.jinja"), $"{template}{{% if add_generation_prompt %}}{{{{ '{quoted}' }}}}{{% endif %}}");
    }
}
