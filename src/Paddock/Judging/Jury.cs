using System.Security.Cryptography;
using System.Text;
using Paddock.Data;
using Paddock.Engine;

namespace Paddock.Judging;

/// <summary>
/// Several judges as one. In a pool one member, drawn for each pair, is asked (AlpacaFarm's annotators); otherwise all are, and their mean,
/// their weighted mean or the majority counts. A member without a verdict is left out and its call kept; without any there is none.
/// </summary>
public sealed class Jury : IJudge
{
    private readonly JudgeSettings _settings;
    private readonly IReadOnlyList<IJudge> _members;

    public Jury(JudgeSettings settings, IReadOnlyList<IJudge> members, string place)
    {
        if (members.Count == 0)
            throw new BadInputException($"{place}.members: is empty; a jury has at least one judge");
        if (settings.Rule == JuryRule.Weighted != (settings.Weights != null) || (settings.Weights is { } weights && (weights.Count != members.Count || weights.Any(w => !(w >= 0)) || weights.Sum() <= 0)))
            throw new BadInputException($"{place}.weights: rule weighted needs one weight of 0 or more for each of the {members.Count} members, not all 0, and no other rule has weights");
        if (members.Select(m => m.Name).Distinct(StringComparer.Ordinal).Count() < members.Count)
            throw new BadInputException($"{place}.members: two members have the same name");
        (_settings, _members) = (settings, members);
        string text = $"paddock jury 1\n{settings.Rule}\n{settings.Seed}\n{settings.Noise:R}\n{settings.AlpacaEval}\n{string.Join(',', settings.Weights ?? [])}\n{string.Join('\n', members.Select(m => m.Version))}";
        Version = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..16];
    }

    public string Name => _settings.Name;

    public string Version { get; }

    public IReadOnlyList<IJudge> Members => _members;

    internal JuryRule Rule => _settings.Rule;

    internal double Noise => _settings.Noise;

    public async Task<JudgeVerdict> JudgeAsync(Comparison comparison, CancellationToken cancellation)
    {
        if (comparison.First.Text == comparison.Second.Text)
            return JudgeVerdict.Of(1.5, [], "the answers are the same");
        JudgeDraws draws = new(comparison, _settings.Seed, _settings.AlpacaEval);
        if (draws.Noise(_settings.Noise) is { } noise)
            return JudgeVerdict.Of(noise, [], "label noise");
        if (_settings.Rule == JuryRule.Pool)
            return await _members[draws.Choose("member", _members.Count)].JudgeAsync(comparison, cancellation);
        List<JudgeCall> calls = [];
        List<(double Preference, double Weight)> votes = [];
        JudgeVerdict? missing = null;
        for (int i = 0; i < _members.Count; i++)
        {
            JudgeVerdict verdict = await _members[i].JudgeAsync(comparison, cancellation);
            calls.AddRange(verdict.Calls);
            if (verdict.Preference is { } preference)
                votes.Add((preference, _settings.Weights?[i] ?? 1));
            else
                missing = verdict;
        }
        double weight = votes.Sum(v => v.Weight);
        if (weight == 0)
            return JudgeVerdict.Missing(missing?.State ?? VerdictState.Failed, missing?.Reason ?? "no member with a weight has a verdict", calls);
        string? reason = votes.Count < _members.Count ? $"{votes.Count} of {_members.Count} members have a verdict" : null;
        if (_settings.Rule != JuryRule.Majority)
            return JudgeVerdict.Of(Math.Clamp(votes.Sum(v => v.Preference * v.Weight) / weight, 1, 2), calls, reason);
        int first = votes.Count(v => v.Preference < 1.5), second = votes.Count(v => v.Preference > 1.5);
        return JudgeVerdict.Of(first > second ? 1 : second > first ? 2 : 1.5, calls, reason);
    }
}
