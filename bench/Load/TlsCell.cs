// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Threading.Tasks;
using Muster.Shared.Cells;

namespace Muster.Load;

/// <summary>A cell whose client and workers come by TCP on loopback, over TLS with certificates of both sides.
/// </summary>
internal static class TlsCell
{
    private const string ContextName = "bench.context";

    public static async Task<CellProcesses> StartAsync(int workers, LoadOptions options, string[] plmOptions)
    {
        var ports = FreePorts(CellProcesses.Roles.Count);
        var cell = await CellProcesses.StartAsync(new CellSetup
        {
            PlmOptions = ["--durability", options.Durability, .. plmOptions],
            RoleOptions = CellProcesses.Roles.Select((role, at) => (role, at)).ToDictionary(
                each => each.role,
                each => (string[])["--bind", Place(ports[each.at]), "--tls", "--auth", "certificates"]),
        });
        var register = Place(ports[CellProcesses.Roles.ToList().IndexOf("register")]);
        for (var n = 0; n <= workers; n++)
        {
            // Each its own file, as each host would have.
            await IssueAsync(cell, n, register);
        }

        for (var n = 1; n <= workers; n++)
        {
            cell.StartWorker(Environment.ProcessPath!, "worker", "--context", ContextOf(cell, n));
        }

        return cell;
    }

    public static MusterClient Connect(CellProcesses cell)
    {
        var path = ContextOf(cell, 0);
        return MusterClient.Connect(
            Identity.Joining.ContextFile.Load(path).Address, new MusterClientOptions { ContextFile = path });
    }

    private static async Task IssueAsync(CellProcesses cell, int number, string register)
    {
        var role = number == 0 ? "submit" : "work";
        var (exit, output, error) = await cell.RunAsync(
            "auth", "issue", $"bench-{number}", "--role", role, "--context", ContextOf(cell, number),
            "--address", register, "--cell", cell.Name);
        if (exit != 0)
        {
            throw new InvalidOperationException($"muster auth issue: {output} {error}");
        }
    }

    private static string ContextOf(CellProcesses cell, int number) =>
        Path.Combine(cell.Folder, string.Create(CultureInfo.InvariantCulture, $"{number}.{ContextName}"));

    private static string Place(int port) => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}");

    private static List<int> FreePorts(int count)
    {
        var listeners = new List<TcpListener>();
        for (var n = 0; n < count; n++)
        {
            listeners.Add(new TcpListener(IPAddress.Loopback, 0));
            listeners[n].Start();
        }

        var ports = listeners.Select(each => ((IPEndPoint)each.LocalEndpoint).Port).ToList();
        listeners.ForEach(each => each.Dispose());
        return ports;
    }
}
