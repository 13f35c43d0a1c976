namespace Paddock.Engine.Models;

/// <summary>The rotary tables of a model: one for all layers, or one for the sliding and one for the others; none for layers that do not rotate.</summary>
internal sealed class RotaryTables : IDisposable
{
    private readonly ModelConfig _config;
    private readonly RotaryTable? _all, _sliding;

    public RotaryTables(ModelConfig config)
    {
        _config = config;
        if (config.Position != PositionKind.Rotary)
            return;
        _all = new(config);
        _sliding = config.SlidingRopeTheta > 0 ? new(config, sliding: true) : null;
    }

    /// <summary>The table of a layer, or null.</summary>
    public RotaryTable? Of(int layer) => _config.UnrotatedLayers.Contains(layer) ? null : _sliding != null && _config.SlidingLayers.Contains(layer) ? _sliding : _all;

    /// <inheritdoc cref="RotaryTable.Reserve"/>
    public void Reserve(int positions)
    {
        _all?.Reserve(positions);
        _sliding?.Reserve(positions);
    }

    public void Dispose()
    {
        _all?.Dispose();
        _sliding?.Dispose();
    }
}
