using System.CommandLine;
using System.CommandLine.Parsing;
using Paddock.Studies.Recipes;

namespace Paddock.Cli;

/// <summary>What is wrong with a command line, as one line: the first thing, the value found, the nearest valid name.</summary>
internal static class UsageErrors
{
    /// <summary>The message, or null when the command line can be run.</summary>
    public static string? Of(Command root, ParseResult parsed, string[] args)
    {
        if (UnknownVerb(root, parsed, args) is { } verb)
            return verb;
        if (parsed.Errors.Count == 0)
            return null;
        // a word that fits nowhere explains the errors that follow from it
        if (parsed.UnmatchedTokens.Count > 0)
            return Unmatched(parsed, parsed.UnmatchedTokens[0]);
        ParseError first = parsed.Errors[0];
        return first.SymbolResult switch
        {
            OptionResult { Tokens: [] } option when option.Option.Arity.MinimumNumberOfValues > 0 => $"{option.Option.Name} needs a value{Help(parsed)}",
            OptionResult { Tokens: [_, _, ..] } option when option.Option.Arity.MaximumNumberOfValues == 1 => $"{option.Option.Name} is given twice{Help(parsed)}",
            OptionResult { Tokens: [.., var token] } option when Kind(option.Option.ValueType) is { } kind => $"{option.Option.Name} takes {kind}, not '{Names.Shorten(token.Value)}'",
            CommandResult command when command.Command.Arguments.FirstOrDefault(a => parsed.GetResult(a) is null or { Tokens: [] }) is { } missing =>
                $"'{Path(parsed)}' needs {missing.Name.ToUpperInvariant()}: {Lower(missing.Description)}{Help(parsed)}",
            ArgumentResult { Tokens: [] } argument => $"'{Path(parsed)}' needs {argument.Argument.Name.ToUpperInvariant()}: {Lower(argument.Argument.Description)}{Help(parsed)}",
            _ => first.Message,
        };
    }

    private static string? UnknownVerb(Command root, ParseResult parsed, string[] args)
    {
        if (parsed.CommandResult.Command != root || args.Length == 0 || args[0].StartsWith('-'))
            return null;
        string[] verbs = [.. root.Subcommands.Select(command => command.Name)];
        return $"there is no verb '{Names.Shorten(args[0])}'{(Names.Nearest(args[0], verbs) is { } nearest ? $"; did you mean '{nearest}'?" : "; 'paddock --help' lists them")}";
    }

    private static string Unmatched(ParseResult parsed, string token)
    {
        if (!token.StartsWith('-'))
            return $"'{Names.Shorten(token)}' is one word too many{Help(parsed)}";
        string name = token.Split('=')[0];
        string[] options = [.. parsed.CommandResult.Command.Options.Select(option => option.Name)];
        return $"'{Path(parsed)}' has no option '{Names.Shorten(name)}'{(Names.Nearest(name, options) is { } nearest ? $"; did you mean '{nearest}'?" : Help(parsed))}";
    }

    private static string? Kind(Type type) => Type.GetTypeCode(Nullable.GetUnderlyingType(type) ?? type) switch
    {
        TypeCode.Int32 or TypeCode.Int64 => "a whole number",
        TypeCode.UInt64 => "a whole number from 0",
        TypeCode.Double => "a number",
        TypeCode.Boolean => "true or false, or nothing",
        _ => null,
    };

    private static string Help(ParseResult parsed) => $" (see '{Path(parsed)} --help')";

    private static string Path(ParseResult parsed)
    {
        List<string> names = [];
        for (SymbolResult? at = parsed.CommandResult; at is CommandResult command; at = at.Parent)
            names.Insert(0, command.Command.Name);
        return string.Join(' ', names);
    }

    private static string Lower(string? text) => text is { Length: > 0 } ? char.ToLowerInvariant(text[0]) + text[1..].TrimEnd('.') : "";
}
