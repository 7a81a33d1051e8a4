// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Threading.Tasks;

namespace Muster.Load;

/// <summary>
/// A cell of three role processes and its worker processes, as a user would start them. Everything it starts is killed
/// by recorded pid when it is disposed.
/// </summary>
internal sealed class LoadCell : IAsyncDisposable
{
    private static readonly string[] s_roles = ["plm", "scheduler", "register"];

    private readonly Dictionary<string, Process> _roles = [];
    private readonly List<Process> _workers = [];
    private readonly string _name = $"load-{Environment.ProcessId}";
    private readonly string _folder = Path.Combine(Path.GetTempPath(), $"muster-load-{Environment.ProcessId}");

    private LoadCell()
    {
    }

    public static IReadOnlyList<string> Roles => s_roles;

    /// <summary>The Register's address: the front door.</summary>
    public string Address => $"unix:{_folder}/muster/{_name}/register.sock";

    public IReadOnlyList<Process> Workers => _workers;

    public static async Task<LoadCell> StartAsync(int workers)
    {
        var cell = new LoadCell();
        Directory.CreateDirectory(cell._folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        foreach (var role in s_roles)
        {
            await cell.StartRoleAsync(role);
        }

        for (var n = 0; n < workers; n++)
        {
            cell.StartWorker();
        }

        return cell;
    }

    public async Task StartRoleAsync(string role)
    {
        var process = Start(MusterExecutable(), [role, "--cell", _name]);
        _roles[role] = process;
        for (var line = await process.StandardOutput.ReadLineAsync(); ; line = await process.StandardOutput.ReadLineAsync())
        {
            if (line is null)
            {
                throw new InvalidOperationException($"{role} ended: {await process.StandardError.ReadToEndAsync()}");
            }

            if (line.Contains(" ready", StringComparison.Ordinal))
            {
                break;
            }
        }

        Drain(process);
    }

    public Process StartWorker()
    {
        var process = Start(Environment.ProcessPath!, ["worker", "--address", Address]);
        _workers.Add(process);
        Drain(process);
        return process;
    }

    /// <summary>Kill -9; returns when the process is gone.</summary>
    public async Task KillRoleAsync(string role)
    {
        _roles[role].Kill();
        await _roles[role].WaitForExitAsync();
    }

    /// <summary>CPU seconds that each kind of process has used so far.</summary>
    public Dictionary<string, double> CpuSeconds()
    {
        var seconds = _roles.ToDictionary(pair => pair.Key, pair => pair.Value.TotalProcessorTime.TotalSeconds);
        seconds["worker"] = _workers.Where(worker => !worker.HasExited).Sum(worker => worker.TotalProcessorTime.TotalSeconds);
        seconds["client"] = Process.GetCurrentProcess().TotalProcessorTime.TotalSeconds;
        return seconds;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _workers.Concat(_roles.Values))
        {
            if (!process.HasExited)
            {
                process.Kill();
                await process.WaitForExitAsync();
            }

            process.Dispose();
        }

        Directory.Delete(_folder, recursive: true);
        Arena.ArenaFile.Remove(_name);
    }

    private static string MusterExecutable()
    {
        var path = Path.Combine(AppContext.BaseDirectory, "muster");
        return File.Exists(path) ? path : throw new FileNotFoundException("the muster executable is not beside this one", path);
    }

    private static void Drain(Process process)
    {
        process.OutputDataReceived += static (_, _) => { };
        process.ErrorDataReceived += static (_, line) => Console.Error.WriteLine(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    private Process Start(string path, string[] arguments)
    {
        var start = new ProcessStartInfo(path, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["XDG_RUNTIME_DIR"] = _folder;
        start.Environment["XDG_STATE_HOME"] = _folder;
        return Process.Start(start)!;
    }
}
