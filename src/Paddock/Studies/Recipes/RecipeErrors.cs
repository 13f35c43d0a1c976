using Paddock.Engine;

namespace Paddock.Studies.Recipes;

/// <summary>Gathers everything that is wrong with one recipe, to be told at once.</summary>
internal sealed class RecipeErrors(string file)
{
    private const int Shown = 30;
    private readonly List<(int Line, string Text)> _errors = [];

    public int Count => _errors.Count;

    /// <param name="line">From 1; 0 when the error has no line, such as one about the command line.</param>
    /// <param name="path">Such as <c>stages[4].dpo.beta</c>; empty for the file as a whole.</param>
    public void Add(int line, string path, string message)
    {
        string place = line > 0 ? $"{file}:{line}: " : $"{file}: ";
        _errors.Add((line, place + (path.Length > 0 ? $"{path}: " : "") + message));
    }

    public void ThrowIfAny()
    {
        if (_errors.Count > 0)
            throw new BadInputException(Message());
    }

    private string Message()
    {
        if (_errors.Count == 1)
            return _errors[0].Text;
        IEnumerable<string> lines = _errors.OrderBy(e => e.Line).Select(e => e.Text).Distinct().Take(Shown);
        string rest = _errors.Count > Shown ? $"\n... and {_errors.Count - Shown} more" : "";
        return $"{_errors.Count} things are wrong with {file}:\n{string.Join('\n', lines)}{rest}";
    }
}
