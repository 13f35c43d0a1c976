using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Paddock.Tests.Judging;

/// <summary>What goes wrong with a reply of the server.</summary>
internal enum Fault
{
    None,
    Storm,
    ServerError,
    HalfBody,
    WrongJson,
    NoJson,
    Empty,
    Refusal,
    CutOff,
    Duplicate,
    SlowLoris,
    Dropped,
}

/// <summary>
/// A server of chat completions on the loopback whose verdicts are a function of the prompt, and which fails as often as it is told to. It speaks HTTP/1.1 by
/// hand, because a web server would not send half a body. Which requests fail is drawn by their number.
/// </summary>
internal sealed class FaultServer : IAsyncDisposable
{
    private static readonly TimeSpan LongestConnection = TimeSpan.FromMinutes(10);

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<Task, bool> _connections = new();
    private readonly Func<long, Fault> _faultOf;
    private readonly Task _accepting;
    private long _requests, _answered;

    /// <param name="faultOf">Number of a request, from 1, to what goes wrong with it.</param>
    public FaultServer(Func<long, Fault>? faultOf = null)
    {
        _faultOf = faultOf ?? (_ => Fault.None);
        _listener.Start(1024);
        _accepting = AcceptAsync();
    }

    public string Address => $"http://{_listener.LocalEndpoint}/v1";

    /// <summary>Requests that came, failed ones included.</summary>
    public long Requests => Interlocked.Read(ref _requests);

    /// <summary>Requests that got the reply they should.</summary>
    public long Answered => Interlocked.Read(ref _answered);

    /// <summary>Key of the last request, to see that none was sent where none should be.</summary>
    public string? Authorization { get; private set; }

    /// <summary>A share of requests fails, evenly over all kinds of faults, by a hash of their number.</summary>
    public static Func<long, Fault> Share(double share, params Fault[] without) => number =>
    {
        byte[] hash = SHA256.HashData(BitConverter.GetBytes(number));
        if (BitConverter.ToUInt32(hash) >= share * uint.MaxValue)
            return Fault.None;
        Fault[] faults = [.. Enum.GetValues<Fault>().Where(f => f != Fault.None && !without.Contains(f))];
        return faults[hash[8] % faults.Length];
    };

    /// <summary>The verdict that the server gives on a prompt.</summary>
    public static string VerdictOf(string prompt) => (SHA256.HashData(Encoding.UTF8.GetBytes(prompt))[0] % 5) switch { 0 or 1 => "A", 2 or 3 => "B", _ => "tie" };

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        await Task.WhenAll(_connections.Keys);
        _stop.Dispose();
    }

    /// <summary>What a connection remembers: the last good reply on it.</summary>
    private sealed class Connection
    {
        public byte[]? Last { get; set; }
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                TcpClient client = await _listener.AcceptTcpClientAsync(_stop.Token);
                Task serving = Task.Run(() => ServeAsync(client));
                _connections.TryAdd(serving, true);
                _ = serving.ContinueWith(done => _connections.TryRemove(done, out _), TaskScheduler.Default);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException or SocketException)
        {
            // the server is done
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        using (CancellationTokenSource late = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token))
        {
            late.CancelAfter(LongestConnection);
            client.NoDelay = true;
            try
            {
                NetworkStream stream = client.GetStream();
                Connection connection = new();
                while (await ReadAsync(stream, late.Token) is { } body)
                    if (!await AnswerAsync(stream, body, connection, late.Token))
                        return;
            }
            catch (Exception e) when (e is IOException or OperationCanceledException or SocketException or ObjectDisposedException)
            {
                // a client that was killed
            }
        }
    }

    // one request; null at the end of the connection
    private async Task<byte[]?> ReadAsync(NetworkStream stream, CancellationToken cancellation)
    {
        List<byte> head = [];
        byte[] one = new byte[1];
        while (!(head.Count >= 4 && head[^4] == '\r' && head[^3] == '\n' && head[^2] == '\r' && head[^1] == '\n'))
        {
            if (await stream.ReadAsync(one, cancellation) == 0)
                return null;
            head.Add(one[0]);
            if (head.Count > 1 << 16)
                return null;
        }
        string[] lines = Encoding.ASCII.GetString([.. head]).Split("\r\n");
        Authorization = lines.FirstOrDefault(l => l.StartsWith("Authorization:", StringComparison.OrdinalIgnoreCase));
        string? length = lines.FirstOrDefault(l => l.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase))?.Split(':')[1].Trim();
        byte[] body = length != null ? new byte[int.Parse(length, System.Globalization.CultureInfo.InvariantCulture)] : throw new IOException("a request without a length");
        await stream.ReadExactlyAsync(body, cancellation);
        return body;
    }

    // false when the connection is over
    private async Task<bool> AnswerAsync(NetworkStream stream, byte[] body, Connection connection, CancellationToken cancellation)
    {
        long number = Interlocked.Increment(ref _requests);
        Fault fault = _faultOf(number);
        string id = $"reply-{number}";
        byte[] good = Completion(id, VerdictOf(PromptOf(body)), "stop");
        switch (fault)
        {
            case Fault.Storm:
                await SendAsync(stream, 429, "{\"error\": {\"message\": \"too many requests\"}}"u8.ToArray(), "retry-after-ms: 20\r\nx-ratelimit-limit-requests: 10000000\r\n", cancellation);
                return true;
            case Fault.ServerError:
                await SendAsync(stream, 500, "<html>Internal Server Error</html>"u8.ToArray(), "", cancellation);
                return true;
            case Fault.HalfBody:
                await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {good.Length}\r\n\r\n"), cancellation);
                await stream.WriteAsync(good.AsMemory(0, good.Length / 2), cancellation);
                return false;
            case Fault.WrongJson:
                await SendAsync(stream, 200, "{\"object\": \"chat.completion\", \"choices\": []}"u8.ToArray(), "", cancellation);
                return true;
            case Fault.NoJson:
                await SendAsync(stream, 200, [.. good, .. good], "", cancellation);
                return true;
            case Fault.Empty:
                await SendAsync(stream, 200, Completion(id, "", "stop"), "", cancellation);
                return true;
            case Fault.Refusal:
                await SendAsync(stream, 200, Completion(id, "", "content_filter"), "", cancellation);
                return true;
            case Fault.CutOff:
                await SendAsync(stream, 200, Completion(id, "The ans", "length"), "", cancellation);
                return true;
            case Fault.Duplicate when connection.Last is { } last:
                await Task.Delay(50, cancellation); // a connection that is one reply behind: its client has read that reply
                await SendAsync(stream, 200, last, "", cancellation);
                return true;
            case Fault.SlowLoris:
                foreach (byte b in "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"u8.ToArray())
                {
                    await stream.WriteAsync(new[] { b }, cancellation);
                    await Task.Delay(200, cancellation);
                }
                return false;
            case Fault.Dropped:
                return false;
            default:
                connection.Last = good;
                await SendAsync(stream, 200, good, "x-ratelimit-limit-requests: 10000000\r\nx-ratelimit-remaining-requests: 9999999\r\n", cancellation);
                Interlocked.Increment(ref _answered);
                return true;
        }
    }

    private static async Task SendAsync(NetworkStream stream, int status, byte[] body, string headers, CancellationToken cancellation)
    {
        byte[] head = Encoding.ASCII.GetBytes($"HTTP/1.1 {status} Status\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n{headers}\r\n");
        await stream.WriteAsync((byte[])[.. head, .. body], cancellation);
    }

    private static string PromptOf(byte[] body)
    {
        using JsonDocument json = JsonDocument.Parse(body);
        return string.Join('\n', json.RootElement.GetProperty("messages").EnumerateArray().Select(m => m.GetProperty("content").GetString()));
    }

    private static byte[] Completion(string id, string text, string finish) => JsonSerializer.SerializeToUtf8Bytes(new
    {
        id,
        model = "judge-1",
        system_fingerprint = "fp_1",
        choices = new[] { new { index = 0, message = new { role = "assistant", content = text }, finish_reason = finish } },
        usage = new { prompt_tokens = 100, completion_tokens = 2 },
    });
}
