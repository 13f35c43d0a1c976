namespace Paddock.Engine.Models;

/// <summary>What a model puts out at a wanted position: the log-prob of the target token, or one scalar (reward, value).</summary>
public enum HeadKind { Token, Scalar }
