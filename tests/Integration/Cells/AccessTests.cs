// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Threading.Tasks;
using Muster.Shared.Cells;
using Xunit;

namespace Muster.Integration.Cells;

/// <summary>
/// A cell that others reach over TLS, with real processes: workers and clients join by the one line that the command
/// line prints, commands run, and who has no credential, the wrong one or a revoked one is refused with the code.
/// 127.0.0.2 stands for another host: nothing there knows the cell's folders.
/// </summary>
public sealed class AccessTests : IDisposable
{
    private readonly string _elsewhere = Directory.CreateTempSubdirectory("muster-elsewhere-").FullName;
    private readonly List<string> _said = [];

    public void Dispose() => Directory.Delete(_elsewhere, recursive: true);

    [Fact]
    public async Task OneProcess_OnEveryAddress_IsJoinedByOneLineEach()
    {
        var port = FreePorts(1)[0];
        await using var cell = await StartAsync(isOneProcess: true, [("up", $"0.0.0.0:{port}")]);
        var there = $"127.0.0.2:{port}";

        // The first start says where the administrator's token is, never what it is.
        var note = await SaidAsync("admin.token");
        var secret = (await File.ReadAllTextAsync(note[(note.LastIndexOf(' ') + 1)..].Trim())).Trim();
        Assert.DoesNotContain(_said, line => line.Contains(secret, StringComparison.Ordinal));

        await JoinWorkerAsync(cell, there);
        var login = await LineAsync(cell, "alice", "submit,cancel", there, "muster auth login ");
        Assert.Contains("logged in", await ThereAsync(0, "auth", "login", login), StringComparison.Ordinal);
        Assert.Contains("hey", await ThereAsync(0, "submit", "--wait", "--", "echo", "hey"), StringComparison.Ordinal);
        Assert.Contains("alice", await ThereAsync(0, "auth", "whoami"), StringComparison.Ordinal);
        Assert.Contains("PERMISSION_DENIED", await ThereAsync(65, "workers"), StringComparison.Ordinal);

        Assert.Equal(0, (await cell.RunAsync("auth", "revoke", "alice", "--cell", cell.Name)).ExitCode);
        await ThereUntilAsync("CREDENTIAL_REVOKED", "submit", "--", "true");

        // Who knows nothing of the cell believes nothing that it says, and sends nothing.
        await ThereAsync(0, "auth", "logout");
        Assert.Contains(
            "UNAVAILABLE", await ThereAsync(69, "submit", "--address", $"https://{there}", "--", "true"),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task ThreeProcesses_EachOnItsPort_AreFoundAndFollowed()
    {
        var ports = FreePorts(4);
        await using var cell = await StartAsync(
            isOneProcess: false,
            [
                ("plm", $"127.0.0.1:{ports[0]}"), ("scheduler", $"127.0.0.1:{ports[1]}"),
                ("register", $"127.0.0.1:{ports[2]}"),
            ]);
        var register = $"127.0.0.1:{ports[2]}";
        await JoinWorkerAsync(cell, register);
        var login = await LineAsync(cell, "bob", "submit", register, "muster auth login ");
        await ThereAsync(0, "auth", "login", login);
        Assert.Contains("one", await ThereAsync(0, "submit", "--wait", "--", "echo", "one"), StringComparison.Ordinal);

        // The Scheduler comes back at another address, and the worker finds it.
        await cell.KillRoleAsync("scheduler");
        _binds["scheduler"][1] = $"127.0.0.1:{ports[3]}";
        await cell.StartRoleAsync("scheduler");
        Assert.Contains("two", await ThereAsync(0, "submit", "--wait", "--", "echo", "two"), StringComparison.Ordinal);

        // Revoked in the one file, refused by every role.
        await cell.RunAsync("auth", "revoke", "bob", "--cell", cell.Name);
        await ThereUntilAsync("CREDENTIAL_REVOKED", "submit", "--", "true");
    }

    [Theory]
    [InlineData("--bind 0.0.0.0:7001", "--tls")]
    [InlineData("--bind 0.0.0.0:7001 --auth tokens", "--tls")]
    [InlineData("--bind 0.0.0.0:7001 --tls --auth none", "--auth tokens")]
    [InlineData("--bind 127.0.0.1:7001 --auth certificates", "--tls")]
    public async Task UnsafeCombination_DoesNotStartAndSaysWhichFlagHelps(string options, string flag)
    {
        await using var cell = await CellProcesses.StartAsync(new CellSetup { IsOneProcess = true });

        var (exit, _, error) = await cell.RunAsync(["up", "--cell", cell.Name + "x", .. options.Split(' ')]);

        Assert.Equal(65, exit);
        Assert.Contains("BIND_REFUSED", error, StringComparison.Ordinal);
        Assert.Contains(flag, error, StringComparison.Ordinal);
    }

    private readonly Dictionary<string, string[]> _binds = [];

    private Task<CellProcesses> StartAsync(bool isOneProcess, (string Role, string Bind)[] roles)
    {
        foreach (var (role, bind) in roles)
        {
            _binds[role] = ["--bind", bind, "--tls"];
        }

        return CellProcesses.StartAsync(new CellSetup
        {
            IsOneProcess = isOneProcess,
            RoleOptions = _binds,
            ErrorLine = (_, line) =>
            {
                lock (_said)
                {
                    _said.Add(line);
                }
            },
        });
    }

    private async Task JoinWorkerAsync(CellProcesses cell, string place)
    {
        var join = await LineAsync(cell, "rack", "work", place, "muster worker --join ");
        Assert.Contains($"@{place}", join, StringComparison.Ordinal);
        var worker = cell.StartWorker(
            "/usr/bin/env", $"XDG_STATE_HOME={_elsewhere}", CellProcesses.Executable, "worker", "--name", "rack",
            "--join", join);
        await CellCondition.WaitAsync(cell, "workers", "rack", TimeSpan.FromSeconds(60));
        Assert.False(worker.HasExited);
        var kept = Assert.Single(Directory.GetFiles(Path.Combine(_elsewhere, "muster", "joined")));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(kept));
    }

    private static async Task<string> LineAsync(
        CellProcesses cell, string name, string role, string place, string command)
    {
        var (exit, output, error) = await cell.RunAsync(
            "auth", "issue", name, "--role", role, "--address", place, "--cell", cell.Name);
        Assert.True(exit == 0, error);
        Assert.StartsWith(command, output, StringComparison.Ordinal);
        return output[command.Length..].Trim();
    }

    private async Task<string> ThereAsync(int exit, params string[] arguments)
    {
        var (code, said) = await RunThereAsync(arguments);
        Assert.True(code == exit, $"{string.Join(' ', arguments)} ended with {code}: {said}");
        return said;
    }

    private async Task ThereUntilAsync(string text, params string[] arguments)
    {
        var since = Stopwatch.GetTimestamp();
        var said = "";
        while (!said.Contains(text, StringComparison.Ordinal))
        {
            Assert.True(Stopwatch.GetElapsedTime(since) < TimeSpan.FromSeconds(60), said);
            (_, said) = await RunThereAsync(arguments);
        }
    }

    private async Task<(int ExitCode, string Said)> RunThereAsync(string[] arguments)
    {
        var start = new ProcessStartInfo(CellProcesses.Executable, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var variable in (string[])["XDG_RUNTIME_DIR", "XDG_STATE_HOME", "XDG_CONFIG_HOME"])
        {
            start.Environment[variable] = _elsewhere;
        }

        foreach (var variable in (string[])["MUSTER_ADDRESS", "MUSTER_TOKEN", "MUSTER_CONTEXT"])
        {
            start.Environment.Remove(variable);
        }

        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(120));
        return (process.ExitCode, await output + await error);
    }

    private async Task<string> SaidAsync(string text)
    {
        string? found = null;
        await CellCondition.HoldsAsync(
            () =>
            {
                lock (_said)
                {
                    found = _said.FirstOrDefault(line => line.Contains(text, StringComparison.Ordinal));
                }

                return found is not null;
            },
            text);
        return found!;
    }

    private static int[] FreePorts(int count)
    {
        var listeners = Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToArray();
        Array.ForEach(listeners, each => each.Start());
        var ports = listeners.Select(each => ((IPEndPoint)each.LocalEndpoint).Port).ToArray();
        Array.ForEach(listeners, each => each.Dispose());
        return ports;
    }
}
