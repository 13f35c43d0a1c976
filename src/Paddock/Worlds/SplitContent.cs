namespace Paddock.Worlds;

/// <summary>What the rows of a split hold besides prompts.</summary>
[Flags]
public enum SplitContent
{
    Prompts = 1,

    /// <summary>Answers to learn from: <see cref="IWorld.Demonstrations"/>.</summary>
    Demonstrations = 2,

    /// <summary>The reference system's answers: <see cref="IWorld.References"/>.</summary>
    References = 4,

    /// <summary>Pairs with a preference: <see cref="IWorld.Preferences"/>.</summary>
    Preferences = 8,
}

/// <summary>Contents in the words of messages.</summary>
public static class SplitContents
{
    public static string Describe(this SplitContent content) => content switch
    {
        SplitContent.Demonstrations => "demonstrations (answers to learn from)",
        SplitContent.References => "reference answers",
        SplitContent.Preferences => "preferences",
        _ => "prompts",
    };
}
