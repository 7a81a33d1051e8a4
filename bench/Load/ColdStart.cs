// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Threading.Tasks;
using Muster.Arena;
using Muster.Shared.Cells;

namespace Muster.Load;

/// <summary>
/// W11: from the start of `muster up` with nothing there until a client that waits for it has its first result; and
/// what a call of the command line takes from its start to its end.
/// </summary>
internal sealed class ColdStart : IAsyncDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private readonly string _folder = Directory.CreateTempSubdirectory("muster-up-").FullName;
    private readonly string _cell = string.Create(CultureInfo.InvariantCulture, $"up{Environment.ProcessId}");
    private readonly string _durability;
    private Process? _up;

    private ColdStart(string durability) => _durability = durability;

    private string Address => $"unix:{_folder}/muster/{_cell}/register.sock";

    public static async Task RunAsync(LoadOptions options)
    {
        var rounds = options.Rounds > 0 ? options.Rounds : 5;
        Console.WriteLine($"W11, durability {options.Durability}: {rounds} starts of a cell, and calls of each kind");
        var times = new Dictionary<string, List<double>>();

        // The first one, which reads files from the disk and compiles the client, does not count.
        for (var round = 0; round <= rounds; round++)
        {
            await using var start = new ColdStart(options.Durability);
            var measured = await start.MeasureAsync();
            if (round == 0)
            {
                continue;
            }

            foreach (var (name, ms) in measured)
            {
                times.TryAdd(name, []);
                times[name].Add(ms);
            }

            Console.WriteLine($"  round {round}: "
                + string.Join(", ", measured.Select(pair => $"{pair.Key} {pair.Value:0} ms")));
        }

        var first = Spread.Of(times["first_result"], 1);
        var submit = Spread.Of(times["cli_submit"], 1);
        Figures.Keep(new
        {
            workload = "W11",
            durability = options.Durability,
            first_result_ms = first.Median,
            first_result_ms_min = first.Min,
            first_result_ms_max = first.Max,
            up_ready_ms = Spread.Of(times["up_ready"], 1).Median,
            cli_ms = submit.Median,
            cli_ms_min = submit.Min,
            cli_ms_max = submit.Max,
            cli_workers_ms = Spread.Of(times["cli_workers"], 1).Median,
            cli_version_ms = Spread.Of(times["cli_version"], 1).Median,
        });
    }

    public async ValueTask DisposeAsync()
    {
        if (_up is not null)
        {
            _up.Kill();
            await _up.WaitForExitAsync();
            _up.Dispose();
        }

        ArenaFile.Remove(_cell);
        Directory.Delete(_folder, recursive: true);
    }

    private async Task<Dictionary<string, double>> MeasureAsync()
    {
        var times = new Dictionary<string, double>();
        var start = Stopwatch.GetTimestamp();
        _up = Launch("up", "--cell", _cell, "--durability", _durability);
        var line = await _up.StandardOutput.ReadLineAsync().WaitAsync(s_patience);
        if (line?.Contains(" ready", StringComparison.Ordinal) != true)
        {
            throw new InvalidOperationException($"muster up: {line} {await _up.StandardError.ReadToEndAsync()}");
        }

        times["up_ready"] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        await using var client = MusterClient.Connect(Address);
        await client.RunCommandAsync(new CommandSpec { Arguments = ["/bin/true"] });
        times["first_result"] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        times["cli_submit"] = await CallMsAsync("submit", "--wait", "--address", Address, "--", "/bin/true");
        times["cli_workers"] = await CallMsAsync("workers", "--cell", _cell, "-o", "json");
        times["cli_version"] = await CallMsAsync("version");
        return times;
    }

    private async Task<double> CallMsAsync(params string[] arguments)
    {
        var start = Stopwatch.GetTimestamp();
        using var process = Launch(arguments);
        var error = process.StandardError.ReadToEndAsync();
        await process.StandardOutput.ReadToEndAsync().WaitAsync(s_patience);
        await process.WaitForExitAsync();
        return process.ExitCode == 0
            ? Stopwatch.GetElapsedTime(start).TotalMilliseconds
            : throw new InvalidOperationException($"muster {string.Join(' ', arguments)}: {await error}");
    }

    private Process Launch(params string[] arguments)
    {
        var start = new ProcessStartInfo(CellProcesses.Executable, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["XDG_RUNTIME_DIR"] = _folder;
        start.Environment["XDG_STATE_HOME"] = _folder;
        start.Environment.Remove("MUSTER_ADDRESS");
        return Process.Start(start)!;
    }
}
