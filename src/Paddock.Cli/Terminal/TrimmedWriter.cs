using System.Text;

namespace Paddock.Cli.Terminal;

/// <summary>Passes text on without blanks at the ends of lines, which tables fill their columns with.</summary>
internal sealed class TrimmedWriter(TextWriter inner) : TextWriter
{
    private int _blanks;

    public override Encoding Encoding => inner.Encoding;

    public override void Write(char value)
    {
        if (value == ' ')
        {
            _blanks++;
            return;
        }
        if (value is not ('\n' or '\r'))
            for (; _blanks > 0; _blanks--)
                inner.Write(' ');
        _blanks = 0;
        inner.Write(value);
    }

    public override void Flush() => inner.Flush();
}
