namespace Paddock.Engine.Checkpoints;

/// <summary>A model's name on the hub.</summary>
internal readonly record struct HubId(string Owner, string Name, string Revision);

/// <summary>
/// The local cache of the Hugging Face hub: <c>models--OWNER--NAME/refs/REVISION</c> holds a commit, <c>snapshots/COMMIT</c> the files
/// (layout: "Understand caching" in the huggingface_hub documentation).
/// </summary>
internal static class HubCache
{
    public const string DefaultRevision = "main";

    /// <summary>Owner and name have letters, digits, dots, dashes and underscores only, as the hub demands.</summary>
    public static bool TryParse(string text, out HubId id)
    {
        id = default;
        int at = text.IndexOf('@', StringComparison.Ordinal);
        string revision = at < 0 ? DefaultRevision : text[(at + 1)..], path = at < 0 ? text : text[..at];
        if (path.Split('/') is not [string owner, string name] || !IsPlain(owner) || !IsPlain(name) || !IsPlain(revision))
            return false;
        id = new(owner, name, revision);
        return true;
    }

    /// <summary>HF_HUB_CACHE, else HF_HOME/hub, else XDG_CACHE_HOME/huggingface/hub, else ~/.cache/huggingface/hub.</summary>
    public static string Folder(Func<string, string?> environment)
    {
        if (environment("HF_HUB_CACHE") is { Length: > 0 } cache)
            return cache;
        if (environment("HF_HOME") is { Length: > 0 } home)
            return Path.Combine(home, "hub");
        string root = environment("XDG_CACHE_HOME") is { Length: > 0 } given
            ? given
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
        return Path.Combine(root, "huggingface", "hub");
    }

    /// <summary>Folder of the files of one revision, or null; what was looked for is added to <paramref name="tried"/>.</summary>
    public static string? Snapshot(string cache, HubId id, List<string> tried)
    {
        string model = Path.Combine(cache, $"models--{id.Owner}--{id.Name}"), reference = Path.Combine(model, "refs", id.Revision), snapshots = Path.Combine(model, "snapshots");
        if (!Directory.Exists(model))
        {
            tried.Add(model);
            return null;
        }
        string commit = id.Revision;
        if (File.Exists(reference))
        {
            using MappedFile file = MappedFile.Open(reference, 1, "a reference to a commit");
            commit = file.Length <= 256 ? System.Text.Encoding.UTF8.GetString(file.Slice(0, (int)file.Length)).Trim() : "";
            if (!IsPlain(commit))
                throw new BadInputException($"{reference}: does not hold the name of a commit; fetch the model again");
        }
        string snapshot = Path.Combine(snapshots, commit);
        if (Directory.Exists(snapshot))
            return snapshot;
        // a cache that was copied by hand has no refs; a single snapshot leaves no doubt which is meant
        string[] all = id.Revision == DefaultRevision && Directory.Exists(snapshots) ? Directory.GetDirectories(snapshots) : [];
        if (all.Length == 1)
            return all[0];
        tried.Add(snapshot);
        return null;
    }

    private static bool IsPlain(string text)
    {
        foreach (char c in text)
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('.' or '-' or '_'))
                return false;
        return text.Length > 0 && text is not ("." or "..");
    }
}
