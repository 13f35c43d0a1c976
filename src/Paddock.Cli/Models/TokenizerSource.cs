using Paddock.Backends.Embedded;
using Paddock.Engine.Tokenizers;

namespace Paddock.Cli.Models;

/// <summary>Opens a tokenizer by what users write: a folder or tokenizer.json without any model too.</summary>
internal static class TokenizerSource
{
    public static Tokenizer Open(FrontDoor door, string model)
    {
        string place = door.ModelOf(model);
        bool isAlone = Path.GetFileName(place) == "tokenizer.json" ? File.Exists(place)
            : File.Exists(Path.Combine(place, "tokenizer.json")) || (File.Exists(Path.Combine(place, "vocab.json")) && File.Exists(Path.Combine(place, "merges.txt")));
        return isAlone ? Tokenizer.Load(place) : ModelLibrary.OpenTokenizer(door.Models.Find(place));
    }
}
