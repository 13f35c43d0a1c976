using System.Text.Json;
using Paddock.Data.Formats;
using Paddock.Engine;

namespace Paddock.Data;

/// <summary>The formats that rows of a data file come in; each is a class of <c>Paddock.Data.Formats</c>.</summary>
public enum DataFormat
{
    /// <summary>instruction, input, output: <see cref="AlpacaFormat"/>.</summary>
    Alpaca,

    /// <summary>messages or conversations: <see cref="MessagesFormat"/>.</summary>
    Messages,

    /// <summary>prompt, completion: <see cref="CompletionFormat"/>.</summary>
    PromptCompletion,

    /// <summary>chosen, rejected, usually prompt: <see cref="PreferenceFormat"/>.</summary>
    Preference,

    /// <summary>chosen, rejected as transcripts: <see cref="HhFormat"/>.</summary>
    HhPairs,

    /// <summary>prompt, completion, label: <see cref="LabelFormat"/>.</summary>
    Labels,

    /// <summary>prompt or instruction alone: <see cref="PromptFormat"/>.</summary>
    Prompts,

    /// <summary>instruction, output, generator: <see cref="AlpacaEvalOutputFormat"/>.</summary>
    AlpacaEvalOutputs,

    /// <summary>instruction, output_1, output_2: <see cref="AlpacaEvalAnnotationFormat"/>.</summary>
    AlpacaEvalAnnotations,
}

/// <summary>Finding out a file's format.</summary>
public static class DataFormatDetection
{
    extension(DataFormat)
    {
        /// <summary>The format of a file, guessed from the fields of its first row.</summary>
        /// <exception cref="BadInputException">The file has no rows, or fields of no known format.</exception>
        public static DataFormat Detect(string path)
        {
            foreach (DataFormat format in RowReader.Read(path, row => OfRow(row, path)))
                return format;
            throw new BadInputException($"{path}: no rows");
        }
    }

    private static DataFormat OfRow(Row row, string path)
    {
        bool prompted = row.Has("prompt") || row.Has("instruction");
        if (row.Has("messages") || row.Has("conversations"))
            return DataFormat.Messages;
        if (row.Has("chosen") && row.Has("rejected"))
            return !prompted && row.Get("chosen") is { ValueKind: JsonValueKind.String } chosen && HhFormat.IsTranscript(row.TextOf(chosen, "chosen")) ? DataFormat.HhPairs : DataFormat.Preference;
        if (row.Has("instruction") && row.Has("output_1") && row.Has("output_2"))
            return DataFormat.AlpacaEvalAnnotations;
        if (prompted && row.Has("completion"))
            return row.Has("label") ? DataFormat.Labels : DataFormat.PromptCompletion;
        if (row.Has("instruction") && row.Has("output"))
            return row.Has("generator") ? DataFormat.AlpacaEvalOutputs : DataFormat.Alpaca;
        if (prompted)
            return DataFormat.Prompts;
        string names = string.Join(", ", row.Json.EnumerateObject().Select(field => Row.Short(field.Name)).Take(12));
        throw new BadInputException($"{path}: the first row has the fields ({names}), which are of no known format; expected messages; prompt and completion; "
            + "chosen and rejected; prompt, completion and label; instruction and output; instruction, output_1 and output_2; or prompt");
    }
}
