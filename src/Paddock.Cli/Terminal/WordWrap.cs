using System.Text;

namespace Paddock.Cli.Terminal;

/// <summary>
/// Breaks text that arrives piece by piece between words, for a terminal that would break it within them. A word is held back until it
/// ends; text that is no wider than the screen passes unchanged.
/// </summary>
/// <param name="write">Takes text that is ready.</param>
/// <param name="width">Characters of a line; 0 or less leaves all text as it is.</param>
internal sealed class WordWrap(Action<string> write, int width)
{
    private readonly StringBuilder _word = new(), _blanks = new();
    private int _column;

    public void Write(string text)
    {
        if (width <= 0)
        {
            write(text);
            return;
        }
        foreach (char c in text)
            if (c == '\n')
            {
                EndWord();
                write("\n");
                _blanks.Clear();
                _column = 0;
            }
            else if (c is ' ' or '\t')
            {
                EndWord();
                _blanks.Append(c);
            }
            else
                _word.Append(c);
    }

    /// <summary>Writes what is held back.</summary>
    public void Flush()
    {
        EndWord();
        _blanks.Clear();
    }

    private void EndWord()
    {
        if (_word.Length == 0)
            return;
        // the blanks before the word become the line's end; at a line's start they are an indent
        bool breaks = _column > 0 && _column + _blanks.Length + _word.Length > width;
        if (breaks)
            _blanks.Clear().Append('\n');
        _column = breaks ? _word.Length : _column + _blanks.Length + _word.Length;
        write(_blanks.Append(_word).ToString());
        _blanks.Clear();
        _word.Clear();
    }
}
