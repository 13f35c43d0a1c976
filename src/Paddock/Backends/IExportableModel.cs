namespace Paddock.Backends;

/// <summary>A model that can be written as a folder other programs load: config, weights with adapters folded in, tokenizer, template.</summary>
public interface IExportableModel : ITrainableModel
{
    /// <summary>Writes the folder, which appears whole or not at all.</summary>
    Task ExportAsync(string folder, CancellationToken cancellation);
}
