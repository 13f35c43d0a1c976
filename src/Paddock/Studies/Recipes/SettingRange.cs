using System.ComponentModel.DataAnnotations;
using System.Reflection;

namespace Paddock.Studies.Recipes;

/// <summary>Numbers that a setting may be: the <see cref="RangeAttribute"/> on its parameter, which is the one place that says so.</summary>
internal sealed class SettingRange
{
    private readonly double _least, _most;
    private readonly bool _aboveLeast, _belowMost;

    private SettingRange(RangeAttribute range)
    {
        (_least, _most) = (Convert.ToDouble(range.Minimum, Scalars.Culture), Convert.ToDouble(range.Maximum, Scalars.Culture));
        (_aboveLeast, _belowMost) = (range.MinimumIsExclusive, range.MaximumIsExclusive);
    }

    /// <summary>Null when the parameter has none.</summary>
    public static SettingRange? Of(ParameterInfo parameter) => parameter.GetCustomAttribute<RangeAttribute>() is { } range ? new(range) : null;

    /// <summary>Null when the value is in range or null, else what the range is.</summary>
    public string? Problem(object? value)
    {
        if (value == null)
            return null;
        double number = Convert.ToDouble(value, Scalars.Culture);
        if ((_aboveLeast ? number > _least : number >= _least) && (_belowMost ? number < _most : number <= _most))
            return null;
        string from = $"{(_aboveLeast ? "above" : "at least")} {Scalars.Text(_least)}", to = $"{(_belowMost ? "below" : "at most")} {Scalars.Text(_most)}";
        return _most is double.MaxValue or double.PositiveInfinity or int.MaxValue or long.MaxValue ? $"must be {from}" : $"must be {from} and {to}";
    }
}
