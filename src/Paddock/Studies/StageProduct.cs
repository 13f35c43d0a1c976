namespace Paddock.Studies;

/// <summary>What a stage makes for later ones, and what a setting that names a stage wants.</summary>
[Flags]
public enum StageProduct
{
    /// <summary>Not said: nothing is checked.</summary>
    Unknown = 0,

    /// <summary>A model that answers.</summary>
    Policy = 1,

    /// <summary>A model with a scalar head, which scores answers.</summary>
    RewardModel = 2,

    /// <summary>Rows of preferences.</summary>
    Preferences = 4,

    /// <summary>Rows of sampled answers.</summary>
    Answers = 8,

    /// <summary>A table, for people.</summary>
    Results = 16,
}

/// <summary>Says what a kind of stage makes.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class MakesAttribute(StageProduct product) : Attribute
{
    public StageProduct Product => product;
}

/// <summary>Products in the words of messages.</summary>
internal static class StageProducts
{
    private static readonly (StageProduct Product, string One, string Many)[] Words =
    [
        (StageProduct.Policy, "a policy", "policies"),
        (StageProduct.RewardModel, "a reward model", "reward models"),
        (StageProduct.Preferences, "preferences", "stages with preferences"),
        (StageProduct.Answers, "sampled answers", "stages with sampled answers"),
        (StageProduct.Results, "a table of results", "tables"),
    ];

    public static string Describe(this StageProduct product) => string.Join(" or ", Words.Where(w => product.HasFlag(w.Product)).Select(w => w.One));

    public static string Plural(this StageProduct product) => string.Join(" or ", Words.Where(w => product.HasFlag(w.Product)).Select(w => w.Many));
}
