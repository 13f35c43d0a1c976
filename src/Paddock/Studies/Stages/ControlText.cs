using Paddock.Backends;
using Paddock.Data;
using Paddock.Engine;

namespace Paddock.Studies.Stages;

/// <summary>Texts between prompt and answer that say what kind of answer is wanted.</summary>
internal static class ControlText
{
    /// <exception cref="BadInputException">The text has no tokens.</exception>
    public static int[] Encode(string key, string text, ITextCodec codec)
    {
        int[] ids = codec.EncodeResponse(new Response(text, Finished: false));
        return ids.Length > 0 ? ids : throw new BadInputException($"{key}: '{text}' has no tokens; give it a word");
    }

    /// <summary>From here on whoever opens the stage's model asks for this kind of answer, in the very ids it was trained with.</summary>
    /// <param name="ids">Those of the text.</param>
    /// <param name="encoded">Ids of <paramref name="prompt"/> before.</param>
    public static void AddTo(StageRun run, string text, int[] ids, Prompt prompt, int[] encoded)
    {
        PromptSuffix.Add(run.Folder.Model, text);
        if (!run.Services.OpenCodec(run.Folder.Model).EncodePrompt(prompt.Messages).AsSpan().SequenceEqual((int[])[.. encoded, .. ids]))
            throw new BadInputException($"'{text}' runs together with the end of the prompt in this tokenizer; choose a text that is cut apart from it, such as a special token");
    }
}
