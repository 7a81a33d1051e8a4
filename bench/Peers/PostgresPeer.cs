// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Threading.Tasks;

namespace Muster.Peers;

/// <summary>
/// A queue in a table of PostgreSQL with fsync at every commit: jobs are inserted by the thousand, workers take theirs
/// with SKIP LOCKED and delete them in the transaction that tells the results, and LISTEN/NOTIFY wakes whoever waits.
/// A worker that dies gives its jobs back, for its transaction ends.
/// </summary>
internal sealed class PostgresPeer : IServedPeer
{
    private const string Folder = "data";

    public string Name => "postgres";

    public string Package => "postgresql";

    public string Durability => "fsync";

    public int Window => 10_000;

    public int Tasks => 100_000;

    public async Task SetUpAsync(string folder)
    {
        var data = Path.Combine(folder, Folder);
        Directory.CreateDirectory(data);
        if (Environment.IsPrivilegedProcess)
        {
            // It refuses to run as root, and has to get through to its folder.
            await RequireAsync("chmod", "o+rx", folder);
            await RequireAsync("chown", "postgres", data);
        }

        await RequireAsync([.. AsPostgres(), Program("initdb"), "-D", data, "-A", "trust", "-U", "postgres"]);
    }

    public IReadOnlyList<string> Server(int port, string folder) =>
    [
        .. AsPostgres(), Program("postgres"), "-D", Path.Combine(folder, Folder),
        "-h", "127.0.0.1", "-p", port.ToString(CultureInfo.InvariantCulture), "-k", "",
        "-c", "shared_buffers=512MB", "-c", "max_wal_size=8GB", "-c", "checkpoint_timeout=30min",
        "-c", "autovacuum_naptime=5s",
    ];

    public void Work(int port, Action? command) => new PostgresWorker(port, command).Run();

    public IPeerClient Connect(int port) => new PostgresClient(port);

    private static string[] AsPostgres() => Environment.IsPrivilegedProcess
        ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]
        : [];

    // Debian keeps each version in a folder of its own; the newest is used.
    private static string Program(string name) => Directory.GetDirectories("/usr/lib/postgresql")
        .OrderByDescending(folder => int.Parse(Path.GetFileName(folder), CultureInfo.InvariantCulture))
        .Select(folder => Path.Combine(folder, "bin", name))
        .First(File.Exists);

    private static async Task RequireAsync(params string[] words)
    {
        var (exitCode, text) = await ChildProcess.RunAsync(words);
        if (exitCode != 0)
        {
            throw new InvalidOperationException($"{string.Join(' ', words)} failed: {text}");
        }
    }
}
