namespace Paddock.Studies.Recipes;

/// <summary>A parsed piece of YAML with the line it began on (from 1; 0 for what was never in a file).</summary>
internal abstract record RecipeNode(int Line)
{
    public abstract string Describe { get; }
}

/// <param name="Plain">Written without quotes, so that <c>null</c>, <c>~</c> and nothing at all mean null.</param>
internal sealed record ScalarNode(string Value, bool Plain, int Line) : RecipeNode(Line)
{
    public bool IsNull => Plain && Value is "" or "~" or "null" or "Null" or "NULL";

    public override string Describe => IsNull ? "nothing" : $"'{Names.Shorten(Value)}'";
}

/// <summary>What already has its error: nothing more is said about it.</summary>
internal sealed record BrokenNode(int Line) : RecipeNode(Line)
{
    public override string Describe => "nothing";
}

internal sealed record ListNode(IReadOnlyList<RecipeNode> Items, int Line) : RecipeNode(Line)
{
    public override string Describe => "a list";
}

/// <param name="IsRecord">Its order means nothing: keys are the parameters of a record.</param>
internal sealed record MapNode(IReadOnlyList<MapEntry> Entries, int Line, bool IsRecord = false) : RecipeNode(Line)
{
    public override string Describe => "a map of keys";
}

internal sealed record MapEntry(string Key, RecipeNode Value, int Line);
