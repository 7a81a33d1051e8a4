// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Threading.Tasks;

namespace Muster.Peers;

/// <summary>
/// Dask distributed: a scheduler and two worker processes of one thread, tasks by map. With the setting under which
/// workers get all tasks at once, which is the faster one for small tasks.
/// </summary>
internal sealed class DaskPeer : IPeer
{
    // Debian's, for Debian's packages.
    private const string Python = "/usr/bin/python3";
    private static readonly string s_script = Path.GetFullPath("bench/Peers/scripts/dask_client.py");

    public string Name => "dask";

    public string Durability => "memory";

    public IReadOnlyList<string> Packages => ["python3-distributed"];

    public Task<string?> PrepareAsync() => Task.FromResult<string?>(null);

    public async Task<PeerFigures> MeasureAsync()
    {
        var folder = Directory.CreateTempSubdirectory("muster-peer-").FullName;
        var port = ChildProcess.FreePort();
        var address = string.Create(CultureInfo.InvariantCulture, $"tcp://127.0.0.1:{port}");
        string[] settings =
        [
            "env", "DASK_DISTRIBUTED__SCHEDULER__WORKER_SATURATION=inf", "DASK_DISTRIBUTED__WORKER__DAEMON=False",
            $"PYTHONPATH={Path.GetDirectoryName(s_script)}", Python, "-m",
        ];
        string[] scheduler =
        [
            .. settings, "distributed.cli.dask_scheduler", "--host", "127.0.0.1",
            "--port", port.ToString(CultureInfo.InvariantCulture), "--no-dashboard", "--no-show",
        ];
        string[] worker =
        [
            .. settings, "distributed.cli.dask_worker", address, "--host", "127.0.0.1", "--nthreads", "1",
            "--nworkers", "1", "--no-nanny", "--no-dashboard", "--memory-limit", "0", "--local-directory", folder,
        ];
        try
        {
            await using var server = ChildProcess.Start(scheduler, folder, "server.log");
            await ChildProcess.ListensAsync(port);
            await using var first = ChildProcess.Start(worker, folder, "worker-0.log");
            await using var second = ChildProcess.Start(worker, folder, "worker-1.log");
            return PeerFigures.Parse(await ChildProcess.LastLineAsync([Python, s_script, address]));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
