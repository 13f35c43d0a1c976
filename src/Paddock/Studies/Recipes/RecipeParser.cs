using System.Text;
using Paddock.Engine;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Paddock.Studies.Recipes;

/// <summary>
/// YAML text to nodes. Built from parse events, not from YamlDotNet's node tree, because that recurses without a limit, expands
/// aliases and stops at the first duplicate key. Anchors, aliases, tags and several documents have no use in a recipe and are errors.
/// </summary>
internal sealed class RecipeParser
{
    public const int MaxBytes = 1 << 20;
    private const int MaxDepth = 24;
    private readonly Parser _parser;
    private readonly string _file;
    private readonly RecipeErrors _errors;

    private RecipeParser(string text, string file, RecipeErrors errors) => (_parser, _file, _errors) = (new Parser(new StringReader(text)), file, errors);

    /// <summary>Reads a file, refusing one that is too large before reading it.</summary>
    public static string ReadText(string path)
    {
        try
        {
            using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            byte[] bytes = new byte[MaxBytes + 1];
            int read = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            return read > MaxBytes
                ? throw new BadInputException($"{path}: larger than {MaxBytes >> 20} MB, so hardly a recipe")
                : new UTF8Encoding(false, true).GetString(bytes, 0, read).TrimStart('\uFEFF');
        }
        catch (DecoderFallbackException e)
        {
            throw new BadInputException($"{path}: not UTF-8 text, so not a recipe", e);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new BadInputException($"{path}: no such recipe", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException($"{path}: cannot be read: {e.Message}", e);
        }
    }

    public static RecipeNode Parse(string text, string file, RecipeErrors errors)
    {
        if (text.Length > MaxBytes)
            throw new BadInputException($"{file}: larger than {MaxBytes >> 20} MB, so hardly a recipe");
        RecipeParser parser = new(text, file, errors);
        try
        {
            return parser.Document();
        }
        catch (YamlException e)
        {
            int tab = Array.FindIndex(text.Split('\n'), l => l.TrimStart(' ').StartsWith('\t'));
            throw tab < 0 ? parser.Error(e.End.Line, $"not valid YAML: {e.Message}") : parser.Error(tab + 1, "indented with a tab; YAML indents with spaces");
        }
        catch (Exception e) when (e is not BadInputException) // malformed tags and directives bring out others
        {
            throw parser.Error(parser._parser.Current?.End.Line ?? 1, $"not valid YAML: {e.Message}");
        }
    }

    private RecipeNode Document()
    {
        _parser.Consume<StreamStart>();
        if (_parser.Accept<StreamEnd>(out _))
            throw Error(1, "the recipe is empty");
        _parser.Consume<DocumentStart>();
        RecipeNode root = Node(0, "");
        _parser.Consume<DocumentEnd>();
        return _parser.Accept<StreamEnd>(out _) ? root : throw Error(_parser.Current!.Start.Line, "a second document begins here; a recipe is one document");
    }

    private RecipeNode Node(int depth, string path)
    {
        int line = (int)_parser.Current!.Start.Line;
        if (!_parser.Accept<NodeEvent>(out NodeEvent? node) || !node.Anchor.IsEmpty)
            throw Error(line, "anchors and aliases are not part of recipes: write the value out, or use 'variables:'");
        if (!node.Tag.IsEmpty)
            throw Error(line, $"tags such as '{Names.Shorten(node.Tag.Value)}' are not part of recipes: leave it out");
        if (depth > MaxDepth)
            throw Error(line, $"nested more than {MaxDepth} deep");
        return node switch
        {
            Scalar => Text(),
            SequenceStart => List(depth, path, line),
            _ => Map(depth, path, line),
        };
    }

    private ScalarNode Text()
    {
        Scalar scalar = _parser.Consume<Scalar>();
        return new ScalarNode(scalar.Value, scalar.Style == ScalarStyle.Plain, (int)scalar.Start.Line);
    }

    private ListNode List(int depth, string path, int line)
    {
        _parser.Consume<SequenceStart>();
        List<RecipeNode> items = [];
        while (!_parser.TryConsume<SequenceEnd>(out _))
            items.Add(Node(depth + 1, $"{path}[{items.Count}]"));
        return new ListNode(items, line);
    }

    private MapNode Map(int depth, string path, int line)
    {
        _parser.Consume<MappingStart>();
        List<MapEntry> entries = [];
        Dictionary<string, int> seen = new(StringComparer.Ordinal);
        while (!_parser.TryConsume<MappingEnd>(out _))
        {
            if (Node(depth + 1, path) is not ScalarNode key)
                throw Error(line, "a key is plain text, not a list or a map");
            string below = path.Length == 0 ? key.Value : $"{path}.{key.Value}";
            RecipeNode value = Node(depth + 1, below);
            if (seen.TryAdd(key.Value, key.Line))
                entries.Add(new MapEntry(key.Value, value, key.Line));
            else
                _errors.Add(key.Line, below, $"key '{Names.Shorten(key.Value)}' is already given on line {seen[key.Value]}; keep one of them");
        }
        return new MapNode(entries, line);
    }

    private BadInputException Error(long line, string message) => new($"{_file}:{line}: {message}");
}
