using Microsoft.Data.Sqlite;
using Paddock.Engine;

namespace Paddock.Storage;

/// <summary>
/// Replies that were paid for, by the hash of what was asked, and what was spent: one SQLite file. Several threads and processes may share it: the
/// first reply under a key stays, and whoever comes second gets that one. A reply that <see cref="Add"/> has returned survives a kill of the process.
/// </summary>
public sealed class ReplyStore : IDisposable
{
    private const long Schema = 1;

    private readonly SqliteConnection _connection;
    private readonly SqliteCommand _find, _add, _replace, _spent, _spend;
    private readonly Lock _gate = new();
    private readonly string _path;

    private ReplyStore(string path, SqliteConnection connection)
    {
        (_path, _connection) = (path, connection);
        Execute("PRAGMA journal_mode = WAL");
        // a kill of the process loses nothing; a power cut may lose the last replies, and they are asked for again
        Execute("PRAGMA synchronous = NORMAL");
        Execute("PRAGMA busy_timeout = 60000");
        using (SqliteCommand version = Command("PRAGMA user_version"))
            if (version.ExecuteScalar() is long found && found is not (0 or Schema))
                throw new BadInputException($"{path}: a store of version {found}, and this program knows version {Schema}; use another file");
        Execute($"""
            BEGIN IMMEDIATE;
            CREATE TABLE IF NOT EXISTS replies (key TEXT PRIMARY KEY, reply TEXT NOT NULL) WITHOUT ROWID;
            CREATE TABLE IF NOT EXISTS spent (scope TEXT PRIMARY KEY, amount REAL NOT NULL) WITHOUT ROWID;
            PRAGMA user_version = {Schema};
            COMMIT;
            """);
        _find = Command("SELECT reply FROM replies WHERE key = $key", "$key");
        _add = Command("INSERT INTO replies (key, reply) VALUES ($key, $reply) ON CONFLICT DO NOTHING", "$key", "$reply");
        _replace = Command("INSERT INTO replies (key, reply) VALUES ($key, $reply) ON CONFLICT DO UPDATE SET reply = excluded.reply", "$key", "$reply");
        _spent = Command("SELECT amount FROM spent WHERE scope = $scope", "$scope");
        _spend = Command("INSERT INTO spent (scope, amount) VALUES ($scope, $amount) ON CONFLICT DO UPDATE SET amount = amount + excluded.amount", "$scope", "$amount");
    }

    /// <summary>Opens or creates the file; missing folders are made.</summary>
    public static ReplyStore Open(string path)
    {
        string full = Path.GetFullPath(path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        // pooling would keep the file open behind our back
        SqliteConnection connection = new(new SqliteConnectionStringBuilder { DataSource = full, Pooling = false, DefaultTimeout = 60 }.ToString());
        try
        {
            connection.Open();
            return new(path, connection);
        }
        catch (SqliteException e)
        {
            connection.Dispose();
            throw new BadInputException($"{path}: cannot be used as a store of replies ({e.Message}); move it away or name another file", e);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>The reply under a key, or null.</summary>
    public string? Find(string key) => Guarded(() =>
    {
        _find.Parameters[0].Value = key;
        return _find.ExecuteScalar() as string;
    });

    /// <summary>Keeps a reply and gives back the one that is kept: another process may have been first.</summary>
    /// <param name="replace">Puts it in the place of the one that is there.</param>
    public string Add(string key, string reply, bool replace = false) => Guarded(() =>
    {
        SqliteCommand command = replace ? _replace : _add;
        (command.Parameters[0].Value, command.Parameters[1].Value) = (key, reply);
        if (command.ExecuteNonQuery() > 0)
            return reply;
        _find.Parameters[0].Value = key;
        return (string)_find.ExecuteScalar()!;
    });

    /// <summary>What was spent on a scope, such as a judge, by all processes.</summary>
    public double Spent(string scope) => Guarded(() =>
    {
        _spent.Parameters[0].Value = scope;
        return _spent.ExecuteScalar() is double amount ? amount : 0;
    });

    public void Spend(string scope, double amount) => Guarded(() =>
    {
        (_spend.Parameters[0].Value, _spend.Parameters[1].Value) = (scope, amount);
        return _spend.ExecuteNonQuery();
    });

    /// <summary>Replies in the store.</summary>
    public long Count() => Guarded(() =>
    {
        using SqliteCommand count = Command("SELECT COUNT(*) FROM replies");
        return (long)count.ExecuteScalar()!;
    });

    public void Dispose()
    {
        foreach (SqliteCommand command in new[] { _find, _add, _replace, _spent, _spend })
            command.Dispose();
        _connection.Dispose();
    }

    private T Guarded<T>(Func<T> action)
    {
        lock (_gate)
            try
            {
                return action();
            }
            catch (SqliteException e)
            {
                throw new IOException($"{_path}: {e.Message}", e); // a full or failing disk: nothing is half written
            }
    }

    private void Execute(string sql)
    {
        using SqliteCommand command = Command(sql);
        command.ExecuteNonQuery();
    }

    private SqliteCommand Command(string sql, params string[] parameters)
    {
        SqliteCommand command = _connection.CreateCommand();
#pragma warning disable CA2100 // no text from outside: every value is a parameter
        command.CommandText = sql;
#pragma warning restore CA2100
        foreach (string name in parameters)
            command.Parameters.Add(new SqliteParameter { ParameterName = name });
        return command;
    }
}
