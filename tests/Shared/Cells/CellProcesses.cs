// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Threading.Tasks;

namespace Muster.Shared.Cells;

/// <summary>
/// A cell of three role processes and its worker processes, started the way a user starts them, with runtime and state
/// folders of its own. Everything it starts is killed by recorded pid when it is disposed.
/// </summary>
internal sealed class CellProcesses : IAsyncDisposable
{
    private static readonly string[] s_roles = ["plm", "scheduler", "register"];
    private static readonly string[] s_foreign = ["MUSTER_ADDRESS", "MUSTER_TOKEN", "MUSTER_CONTEXT"];
    private static int s_number;

    private readonly System.Collections.Concurrent.ConcurrentDictionary<string, Process> _roles = [];
    private readonly List<Process> _workers = [];
    private readonly CellSetup _setup;

    private CellProcesses(CellSetup setup)
    {
        var number = System.Threading.Interlocked.Increment(ref s_number);
        _setup = setup;
        Name = string.Create(CultureInfo.InvariantCulture, $"t{Environment.ProcessId}-{number}");
        Folder = Directory.CreateTempSubdirectory("muster-").FullName;
    }

    public static IReadOnlyList<string> Roles => s_roles;

    /// <summary>
    /// What MUSTER_EXECUTABLE names, for figures of the published program; else the build's own, beside this assembly.
    /// </summary>
    public static string Executable { get; } =
        Environment.GetEnvironmentVariable("MUSTER_EXECUTABLE") ?? Path.Combine(AppContext.BaseDirectory, "muster");

    public string Name { get; }

    /// <summary>XDG_RUNTIME_DIR and XDG_STATE_HOME of all its processes.</summary>
    public string Folder { get; }

    /// <summary>The Register's address: the front door.</summary>
    public string Address => $"unix:{Folder}/muster/{Name}/register.sock";

    public IReadOnlyList<Process> Workers => _workers;

    /// <summary>Starts the three roles and waits until each serves.</summary>
    /// <param name="plmOptions">Further options of `muster plm`, for example limits of the arena.</param>
    public static Task<CellProcesses> StartAsync(params string[] plmOptions) =>
        StartAsync(new CellSetup { PlmOptions = plmOptions });

    /// <summary>Starts the three roles, or all in one process, and waits until each serves.</summary>
    public static async Task<CellProcesses> StartAsync(CellSetup setup)
    {
        var cell = new CellProcesses(setup);
        try
        {
            await cell.StartRolesAsync(setup.IsOneProcess ? ["up"] : s_roles);
        }
        catch
        {
            await cell.DisposeAsync();
            throw;
        }

        return cell;
    }

    public Process Role(string role) => _roles[role];

    /// <summary>Starts these roles together; returns when each serves.</summary>
    public Task StartRolesAsync(IEnumerable<string> roles) => Task.WhenAll(roles.Select(StartRoleAsync));

    /// <summary>Starts a role; returns when it serves.</summary>
    /// <exception cref="RoleEndedException">It ended instead; the message holds what it said.</exception>
    public async Task StartRoleAsync(string role)
    {
        var process = LaunchRole(role);
        while (true)
        {
            var line = await process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(60));
            if (line is null)
            {
                throw new RoleEndedException(role, await process.StandardError.ReadToEndAsync());
            }

            if (line.Contains(" ready", StringComparison.Ordinal))
            {
                break;
            }
        }

        Drain(process, role);
    }

    /// <summary>Starts a role and does not wait for it; whoever calls this reads what it prints.</summary>
    public Process LaunchRole(string role)
    {
        string[] options =
        [
            role, "--cell", Name,
            .. role == "plm" ? _setup.PlmOptions : [],
            .. _setup.RoleOptions.GetValueOrDefault(role, []),
        ];
        var process = Start(role, _setup.Executable ?? Executable, options);
        _roles[role] = process;
        return process;
    }

    /// <summary>Starts a worker process; it registers by itself soon after.</summary>
    /// <param name="path">The worker's executable.</param>
    /// <param name="arguments">Its arguments.</param>
    public Process StartWorker(string path, params string[] arguments)
    {
        var process = Start("worker", path, arguments);
        lock (_workers)
        {
            _workers.Add(process);
        }

        Drain(process, "worker");
        return process;
    }

    /// <summary>Forgets a worker that has ended, so that it does not count any more.</summary>
    public void RemoveWorker(Process worker)
    {
        lock (_workers)
        {
            _workers.Remove(worker);
        }
    }

    /// <summary>Kill -9; returns when the process is gone.</summary>
    public async Task KillRoleAsync(string role)
    {
        _roles[role].Kill();
        await _roles[role].WaitForExitAsync();
    }

    /// <summary>Runs the executable to its end within this cell's folders.</summary>
    public async Task<(int ExitCode, string Output, string Error)> RunAsync(params string[] arguments)
    {
        using var process = Start("", Executable, arguments);
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(120));
        return (process.ExitCode, await output, await error);
    }

    /// <summary>CPU seconds that each kind of process has used so far; the client is this process.</summary>
    public Dictionary<string, double> CpuSeconds()
    {
        var seconds = _roles.ToDictionary(pair => pair.Key, pair => Seconds(pair.Value));
        seconds["worker"] = _workers.Where(worker => !worker.HasExited).Sum(Seconds);
        seconds["client"] = Seconds(Process.GetCurrentProcess());
        return seconds;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _workers.Concat(_roles.Values))
        {
            // Also one that is stopped.
            if (!process.HasExited)
            {
                process.Kill();
                await process.WaitForExitAsync();
            }

            process.Dispose();
        }

        Directory.Delete(Folder, recursive: true);
        global::Muster.Arena.ArenaFile.Remove(Name);
    }

    private static double Seconds(Process process)
    {
        process.Refresh();
        return process.TotalProcessorTime.TotalSeconds;
    }

    /// <summary>Reads what the process still prints, so that it never blocks on a full pipe; errors are
    /// shown.</summary>
    private void Drain(Process process, string kind)
    {
        _ = process.StandardOutput.BaseStream.CopyToAsync(Stream.Null);
        _ = ShowAsync(process.StandardError, kind);
    }

    private async Task ShowAsync(StreamReader errors, string kind)
    {
        while (await errors.ReadLineAsync() is { } line)
        {
            if (_setup.ErrorLine is { } take)
            {
                take(kind, line);
            }
            else
            {
                Console.Error.WriteLine(line);
            }
        }
    }

    private Process Start(string kind, string path, string[] arguments)
    {
        var wrapper = _setup.Wrapper.GetValueOrDefault(kind) ?? _setup.Wrapper.GetValueOrDefault("") ?? [];
        string[] words = [.. wrapper, path, .. arguments];
        var start = new ProcessStartInfo(words[0], words[1..])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["XDG_RUNTIME_DIR"] = Folder;
        start.Environment["XDG_STATE_HOME"] = _setup.StateHome ?? Folder;
        start.Environment["XDG_CONFIG_HOME"] = Folder;
        foreach (var variable in s_foreign)
        {
            start.Environment.Remove(variable);
        }

        string[] kinds = ["", kind];
        foreach (var environment in kinds.Distinct().Select(key => _setup.Environment.GetValueOrDefault(key)))
        {
            foreach (var (name, value) in environment ?? [])
            {
                start.Environment[name] = value;
            }
        }

        return Process.Start(start)!;
    }
}
