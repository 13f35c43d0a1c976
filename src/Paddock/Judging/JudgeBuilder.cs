using Microsoft.Extensions.AI;
using Paddock.Engine;
using Paddock.Engine.Numerics;
using Paddock.Judging.Clients;
using Paddock.Storage;

namespace Paddock.Judging;

/// <summary>What judges are built with.</summary>
/// <param name="Store">Keeps replies and what was spent.</param>
/// <param name="OpenEmbedded">Opens a local model as a client, with a text that changes when the model does; null where there is no engine.</param>
public sealed record JudgeServices(ReplyStore Store, CacheMode Mode, PriceTable Prices, HttpClient Http, TimeProvider Time, Func<string, (IChatClient Client, string Identity)>? OpenEmbedded = null)
{
    /// <summary>The HTTP client that judges share: no limit of its own, because each try has one, and bodies of a bounded size.</summary>
    public static HttpClient NewHttp() => new(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(5), ConnectTimeout = TimeSpan.FromSeconds(15), MaxConnectionsPerServer = 1024, UseCookies = false })
    {
        Timeout = Timeout.InfiniteTimeSpan,
        MaxResponseContentBufferSize = Endpoint.MostBytes,
    };
}

/// <summary>
/// Puts a judge together from its settings. Around the provider's client stand, from the inside: time limit of a try, rate limits, circuit breaker,
/// check for duplicates, retries, budget, cache. Members that ask the same model of the same server share all of it.
/// </summary>
public sealed class JudgeBuilder(JudgeServices services) : IDisposable
{
    private const string OpenAi = "https://api.openai.com/v1", Anthropic = "https://api.anthropic.com/v1";

    private readonly Dictionary<string, CachingChatClient> _clients = new(StringComparer.Ordinal);

    /// <summary>Replies that were in the store, and requests that were sent, of all judges built here.</summary>
    public (long Hits, long Misses) Calls => (_clients.Values.Sum(c => c.Hits), _clients.Values.Sum(c => c.Misses));

    /// <param name="place">What messages call the judge: its file.</param>
    /// <exception cref="BadInputException">The settings do not fit together.</exception>
    public IJudge Build(JudgeSettings settings, string place) => Build(settings, settings.Model, settings.Limits ?? new(), settings.Name, place);

    public JudgeAnnotator BuildAnnotator(JudgeSettings settings, string place) => new(Build(settings, place), (settings.Limits ?? new()).InFlight, this);

    public void Dispose()
    {
        foreach (CachingChatClient client in _clients.Values)
            client.Dispose();
        _clients.Clear();
    }

    private IJudge Build(JudgeSettings settings, ModelSettings? model, LimitSettings limits, string root, string place)
    {
        if (settings.Members is { } members)
            return new Jury(settings, [.. members.Select((m, i) => Build(m, m.Model ?? model, m.Limits ?? limits, root, $"{place}: members[{i}]"))], place);
        if (settings.Weights != null)
            throw new BadInputException($"{place}: weights belong to a jury; give members too");
        if (model == null)
            throw new BadInputException($"{place}: missing key 'model': which model judges?");
        TokenPrice? price = services.Prices.Find(model);
        return new ChatJudge(settings, model, Client(model, limits, price, root, place), price, place);
    }

    private CachingChatClient Client(ModelSettings model, LimitSettings limits, TokenPrice? price, string root, string place)
    {
        if (limits.Cap != null && price == null)
            throw new BadInputException($"{place}: a cap needs the price of '{model.Name}', which the price table ({services.Prices.AsOf}) does not have; give model.input-price and model.output-price");
        string key = $"{model.Provider}|{model.BaseUrl}|{model.KeyFrom}|{model.Name}|{limits}|{root}";
        if (_clients.TryGetValue(key, out CachingChatClient? known))
            return known;
        (IChatClient client, string scope) = Provider(model, place);
        if (model.Provider != JudgeProvider.Embedded)
            client = Guarded(client, limits, key);
        if (limits.Cap is { } cap && model.Provider != JudgeProvider.Embedded)
            client = new BudgetChatClient(client, services.Store, root, price!, cap);
        return _clients[key] = new CachingChatClient(client, services.Store, services.Mode, scope);
    }

    private RetryChatClient Guarded(IChatClient client, LimitSettings limits, string key)
    {
        client = new TimeLimitChatClient(client, TimeSpan.FromSeconds(limits.TrySeconds), services.Time);
        client = new RateLimitChatClient(client, limits.RequestsPerMinute, limits.TokensPerMinute, services.Time);
        client = new CircuitBreakerChatClient(client, services.Time);
        client = new DuplicateChatClient(client);
        // back-off changes no verdict: its seed may differ between processes that share a server, and should
        RandomStream jitter = new((ulong)Environment.ProcessId, $"judge/retry/{key}");
        return new RetryChatClient(client, limits.Retries, TimeSpan.FromSeconds(limits.CallSeconds), jitter, services.Time);
    }

    private (IChatClient Client, string Scope) Provider(ModelSettings model, string place)
    {
        if (model.Provider == JudgeProvider.Embedded)
        {
            if (services.OpenEmbedded == null)
                throw new BadInputException($"{place}: there is no embedded engine here; choose another provider");
            // a model that is only replayed need not be there
            if (services.Mode == CacheMode.Replay && !Path.Exists(model.Name))
                return (new AbsentChatClient(model.Name), $"embedded {model.Name}");
            (IChatClient client, string identity) = services.OpenEmbedded(model.Name);
            return (client, $"embedded {identity}");
        }
        bool isAnthropic = model.Provider == JudgeProvider.Anthropic;
        string address = model.BaseUrl ?? (isAnthropic ? Anthropic : OpenAi);
        if (!Uri.TryCreate(address, UriKind.Absolute, out Uri? uri) || uri.Scheme is not ("http" or "https") || uri.UserInfo.Length > 0)
            throw new BadInputException($"{place}: base-url '{address}' is no address of a server; expected such as http://localhost:8000/v1, without a user or key in it");
        // a server of one's own needs no key unless one is named
        string? keyFrom = model.KeyFrom ?? (model.BaseUrl != null ? null : isAnthropic ? "ANTHROPIC_API_KEY" : "OPENAI_API_KEY");
        return (isAnthropic ? new AnthropicChatClient(services.Http, address, keyFrom, services.Time) : new OpenAiChatClient(services.Http, address, keyFrom, services.Time), $"{model.Provider} {address.TrimEnd('/')}");
    }

    /// <summary>Stands for a model that is not there; a replay never asks it.</summary>
    private sealed class AbsentChatClient(string model) : IChatClient
    {
        public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) => throw new BadInputException($"there is no model '{model}' here");

        public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) => throw new BadInputException($"there is no model '{model}' here");

        public object? GetService(Type serviceType, object? serviceKey = null) => null;

        public void Dispose()
        {
            // it holds nothing
        }
    }
}
