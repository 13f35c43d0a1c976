namespace Paddock.Data;

/// <summary>A prompt and the answer to learn, as ids; the response ends with its end token when it is finished.</summary>
public sealed record TokenizedExample(int[] Prompt, int[] Response);

/// <summary>A preference as ids. <paramref name="Probability"/>: that Chosen is better. <paramref name="Margin"/>: by how much it should lead in reward.</summary>
public sealed record TokenizedPair(int[] Prompt, int[] Chosen, int[] Rejected, double Probability = 1.0, double Margin = 0);

/// <summary>An answer with a thumb up or down, as ids.</summary>
public sealed record TokenizedLabel(int[] Prompt, int[] Response, bool Desirable);
