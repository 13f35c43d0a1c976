namespace Paddock.Data;

/// <summary>One turn of a conversation; roles are <c>system</c>, <c>user</c> and <c>assistant</c>.</summary>
public sealed record ChatMessage(string Role, string Content);

/// <summary>What a policy is asked. Ids are unique within a split; a plain instruction is one user message.</summary>
public sealed record Prompt(string Id, IReadOnlyList<ChatMessage> Messages)
{
    public static Prompt FromInstruction(string id, string instruction) => new(id, [new ChatMessage("user", instruction)]);

    /// <summary>What makes two prompts the same: who said what.</summary>
    public string Key => string.Join('\n', Messages.Select(m => $"{m.Role}: {m.Content}"));

    /// <summary>The last user message: the instruction of a single-turn prompt.</summary>
    public string Instruction
    {
        get
        {
            for (int i = Messages.Count - 1; i >= 0; i--)
                if (Messages[i].Role == "user")
                    return Messages[i].Content;
            return "";
        }
    }
}

/// <summary>What a policy or a person answered.</summary>
/// <param name="Finished">False when the answer was cut off before its end token.</param>
/// <param name="Tokens">The ids it was generated as, end token included; null when it came as text. Never re-tokenised when present.</param>
public sealed record Response(string Text, bool Finished = true, IReadOnlyList<int>? Tokens = null);

/// <summary>A prompt with an answer to learn from.</summary>
public sealed record Demonstration(Prompt Prompt, Response Response);

/// <summary>A prompt with several sampled answers.</summary>
public sealed record SampledAnswers(Prompt Prompt, IReadOnlyList<Response> Responses);

/// <summary>Two answers to one prompt, to be compared; <paramref name="Id"/> seeds an annotator's draws for it.</summary>
public sealed record Comparison(string Id, Prompt Prompt, Response First, Response Second);

/// <summary>
/// A training preference. <paramref name="Probability"/> is the probability that Chosen is the better one: 1 is a hard label, less is
/// a soft one (a jury's share, a judge's log-prob). <paramref name="Margin"/>: by how much a reward model should prefer Chosen; 0 asks
/// for no lead.
/// </summary>
public sealed record Preference(Prompt Prompt, Response Chosen, Response Rejected, double Probability = 1.0, double Margin = 0.0);

/// <summary>An answer with a thumb up or down (KTO's data).</summary>
public sealed record Label(Prompt Prompt, Response Response, bool Desirable);
