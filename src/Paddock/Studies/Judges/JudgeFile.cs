using Paddock.Engine;
using Paddock.Judging;
using Paddock.Studies.Recipes;

namespace Paddock.Studies.Judges;

/// <summary>Reads judges from YAML as strictly as recipes: Paddock's own files, and AlpacaEval's folders with a <c>configs.yaml</c>.</summary>
public static class JudgeFile
{
    /// <summary>What a recipe writes before the path of a judge's file where an annotator's name may stand.</summary>
    public const string Prefix = "file:";

    private static readonly StageTable NoStages = new(new Dictionary<string, Type>());

    /// <summary>The path behind <see cref="Prefix"/>; null for a name.</summary>
    public static string? PathIn(string annotator) => annotator.StartsWith(Prefix, StringComparison.Ordinal) ? annotator[Prefix.Length..] : null;

    /// <exception cref="BadInputException">Everything that is wrong with the file, with lines.</exception>
    public static JudgeSettings Read(string path)
    {
        if (Directory.Exists(path))
            path = Path.Combine(path, AlpacaEvalFile.Name);
        if (!File.Exists(path))
            throw new BadInputException($"{path}: there is no such judge; give a YAML file, or an AlpacaEval folder with {AlpacaEvalFile.Name}");
        return Parse(RecipeParser.ReadText(path), path);
    }

    /// <param name="file">What messages call it; templates of AlpacaEval are looked for beside it.</param>
    public static JudgeSettings Parse(string yaml, string file)
    {
        RecipeErrors errors = new(file);
        RecipeNode root = RecipeParser.Parse(yaml, file, errors);
        if (root is MapNode map && AlpacaEvalFile.IsOne(map))
        {
            errors.ThrowIfAny();
            return AlpacaEvalFile.Read(map, file);
        }
        JudgeSettings? settings = new Binder(NoStages, errors).Bind(root, typeof(JudgeSettings), "") as JudgeSettings;
        errors.ThrowIfAny();
        return settings!;
    }
}
