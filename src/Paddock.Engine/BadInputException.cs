namespace Paddock.Engine;

/// <summary>
/// Something the user gave is wrong: a file, a key, a value. The message names the place and the fix; it is shown alone, without
/// a stack trace, and ends the program with exit code 2.
/// </summary>
public sealed class BadInputException : Exception
{
    public BadInputException(string message) : base(message) { }

    public BadInputException(string message, Exception inner) : base(message, inner) { }
}
