namespace Paddock.Engine;

/// <summary>Raised whenever the arithmetic changes in a way that changes results; part of every stage key, so old results are not reused.</summary>
public static class NumericsVersion
{
    public const int Current = 1;
}
