namespace Paddock.Methods.Formulas;

/// <summary>
/// Sum over count for one optimizer step, divided once at the end: never a mean of micro-batch means. Items added one by one in the
/// same order give the same bits however the step was cut into micro-batches. Nothing added reads NaN: not measured.
/// </summary>
public struct StepMean
{
    public double Sum { get; private set; }

    public long Count { get; private set; }

    public readonly double Value => Count == 0 ? double.NaN : Sum / Count;

    public void Add(double value)
    {
        Sum += value;
        Count++;
    }

    /// <summary>Adds a sum over several items.</summary>
    public void Add(double sum, long count)
    {
        Sum += sum;
        Count += count;
    }
}
