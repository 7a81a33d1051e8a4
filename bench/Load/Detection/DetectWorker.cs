// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Threading.Tasks;
using Muster.Shared.Cells;
using Muster.Shared.Faults;

namespace Muster.Load.Detection;

/// <summary>A worker process that can be ended in one of the ways.</summary>
internal sealed class DetectWorker : IAsyncDisposable
{
    private readonly CellProcesses _cell;
    private readonly Process _process;
    private readonly FaultProxy? _proxy;
    private readonly Ending _ending;

    private DetectWorker(CellProcesses cell, Process process, FaultProxy? proxy, Ending ending, int id)
    {
        (_cell, _process, _proxy, _ending, Id) = (cell, process, proxy, ending, id);
    }

    public int Id { get; }

    /// <param name="cell">The cell; its Register listens on the port too.</param>
    /// <param name="port">The Register's.</param>
    /// <param name="ending">How it will end.</param>
    /// <param name="id">Its number.</param>
    public static DetectWorker Start(CellProcesses cell, int port, Ending ending, int id)
    {
        var proxy = ending == Ending.CutOff ? FaultProxy.BeforePort(port) : null;
        var address = ending switch
        {
            Ending.KilledRemote => $"http://127.0.0.1:{port}",
            Ending.CutOff => $"http://{proxy!.Listens}",
            _ => cell.Address,
        };
        var wrapper = ending == Ending.KilledRemote ? Elsewhere.Wrapper : [];
        string[] words =
        [
            .. wrapper, Environment.ProcessPath!, "worker", "--address", address, "--slots", "1",
            "--id", id.ToString(CultureInfo.InvariantCulture),
        ];
        return new(cell, cell.StartWorker(words[0], words[1..]), proxy, ending, id);
    }

    public void Strike()
    {
        switch (_ending)
        {
            case Ending.KilledRemote:
                using (var inner = Process.GetProcessById(ChildOf(_process.Id)))
                {
                    inner.Kill();
                }

                break;
            case Ending.Frozen:
                using (var kill = Process.Start("kill", ["-STOP", $"{_process.Id}"]))
                {
                    kill.WaitForExit();
                }

                break;
            case Ending.CutOff:
                _proxy!.Faults = LinkFaults.None with { IsStalledUp = true, IsStalledDown = true };
                break;
            default:
                _process.Kill();
                break;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        _cell.RemoveWorker(_process);
        _process.Dispose();
        if (_proxy is not null)
        {
            await _proxy.DisposeAsync();
        }
    }

    private static int ChildOf(int pid)
    {
        var children = File.ReadAllText($"/proc/{pid}/task/{pid}/children");
        return int.Parse(children.Split(' ')[0], CultureInfo.InvariantCulture);
    }
}
