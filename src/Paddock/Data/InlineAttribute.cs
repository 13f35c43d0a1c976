namespace Paddock.Data;

/// <summary>A settings record whose keys stand among those of the record around it, so that a method's settings are written down once.</summary>
[AttributeUsage(AttributeTargets.Parameter)]
public sealed class InlineAttribute : Attribute;
