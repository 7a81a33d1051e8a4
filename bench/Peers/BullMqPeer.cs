// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Threading.Tasks;

namespace Muster.Peers;

/// <summary>
/// BullMQ over Redis, by the library itself in Node: jobs added by the thousand, two worker processes with a hundred
/// jobs at a time. Redis keeps everything in memory.
/// </summary>
internal sealed class BullMqPeer : IPeer
{
    private static readonly string s_modules = Path.GetFullPath("artifacts/peers/bullmq");
    private static readonly string s_script = Path.GetFullPath("bench/Peers/scripts/bullmq.js");

    public string Name => "bullmq";

    public string Durability => "memory";

    public IReadOnlyList<string> Packages => ["redis-server", "nodejs"];

    public async Task<string?> PrepareAsync()
    {
        if (Directory.Exists(Path.Combine(s_modules, "node_modules", "bullmq")))
        {
            return null;
        }

        Directory.CreateDirectory(s_modules);
        string[] install =
        [
            "npm", "install", "--prefix", s_modules, "--ignore-scripts", "--no-audit", "--no-fund",
            "bullmq@6.7.0", "ioredis@6.0.0",
        ];
        var (exitCode, text) = await ChildProcess.RunAsync(install);
        return exitCode == 0 ? null : $"npm install failed: {text}";
    }

    public async Task<PeerFigures> MeasureAsync()
    {
        var folder = Directory.CreateTempSubdirectory("muster-peer-").FullName;
        var port = ChildProcess.FreePort().ToString(CultureInfo.InvariantCulture);
        string[] server =
        [
            "redis-server", "--bind", "127.0.0.1", "--port", port, "--save", "", "--appendonly", "no", "--dir", folder,
            "--maxmemory-policy", "noeviction",
        ];
        try
        {
            await using var redis = ChildProcess.Start(server, folder, "server.log");
            await ChildProcess.ListensAsync(int.Parse(port, CultureInfo.InvariantCulture));
            var environment = new Dictionary<string, string>
            {
                ["NODE_PATH"] = Path.Combine(s_modules, "node_modules"),
            };
            return PeerFigures.Parse(await ChildProcess.LastLineAsync(["node", s_script, port], environment));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
