namespace Paddock.Data;

/// <summary>Marks a setting that is a name, or <c>{file: PATH}</c> for something that a file describes; its text is then <c>file:PATH</c>.</summary>
[AttributeUsage(AttributeTargets.Parameter)]
public sealed class TakesFileAttribute : Attribute;
