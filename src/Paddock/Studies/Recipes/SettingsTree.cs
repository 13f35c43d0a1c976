using System.Collections;

namespace Paddock.Studies.Recipes;

/// <summary>Records back to nodes, with every default written out.</summary>
internal static class SettingsTree
{
    public static MapNode Of(object record, StageTable table) =>
        new([.. Entries(record, table)], 0, IsRecord: true);

    private static IEnumerable<MapEntry> Entries(object record, StageTable table)
    {
        foreach (SettingParameter parameter in RecordShape.Of(record.GetType()).Parameters)
        {
            object? value = parameter.ValueIn(record);
            if (!parameter.Inline)
                yield return new MapEntry(parameter.Key, Node(value, table), 0);
            else
                foreach (MapEntry entry in Entries(value!, table))
                    yield return entry;
        }
    }

    private static RecipeNode Node(object? value, StageTable table) => value switch
    {
        null => new ScalarNode("null", true, 0),
        string text => new ScalarNode(text, false, 0),
        IStage stage => new MapNode([new MapEntry(table.KindOf(stage), Of(stage, table), 0)], 0),
        _ when Scalars.IsScalar(value.GetType()) => new ScalarNode(Scalars.Text(value), true, 0),
        IDictionary map => new MapNode([.. map.Keys.Cast<object>().Select(key => new MapEntry(Scalars.Text(key), Node(map[key], table), 0))], 0),
        IEnumerable list => new ListNode([.. list.Cast<object?>().Select(item => Node(item, table))], 0),
        _ => Of(value, table),
    };
}
