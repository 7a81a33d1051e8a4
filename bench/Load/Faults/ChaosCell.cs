// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Muster.Arena.Native;
using Muster.Shared.Cells;

namespace Muster.Load.Faults;

/// <summary>
/// A cell with its workers that is meant to be hurt: kills and stops parts of it, starts them again, and tells a death
/// that was ordered from one that was not.
/// </summary>
internal sealed class ChaosCell(CellProcesses cell, int workers)
{
    private readonly Lock _gate = new();
    private readonly Process[] _workers = new Process[workers];
    private readonly HashSet<int> _stopped = [];
    private readonly HashSet<int> _ordered = [];
    private readonly List<Task> _wakes = [];

    public string Address => cell.Address;

    /// <summary>Ends of roles and workers that nobody here ordered.</summary>
    public int UnorderedEnds { get; private set; }

    /// <summary>Stopped roles that another role killed because they held a lock: the cell's way to go on.</summary>
    public int KilledAsHolders { get; private set; }

    public int WorkersStopped { get; private set; }

    public int Workers => _workers.Length;

    public void StartWorkers()
    {
        for (var index = 0; index < _workers.Length; index++)
        {
            StartWorker(index);
        }
    }

    /// <summary>Kill -9 to all of them before any is waited for.</summary>
    public async Task KillAsync(IReadOnlyList<string> roles, IReadOnlyList<int> workers, Action? strikeToo = null)
    {
        List<Process> struck = [.. roles.Select(cell.Role), .. workers.Select(index => _workers[index])];
        lock (_gate)
        {
            _ordered.UnionWith(struck.Select(process => process.Id));
            _stopped.ExceptWith(workers);
        }

        foreach (var process in struck)
        {
            process.Kill();
        }

        strikeToo?.Invoke();
        await Task.WhenAll(struck.Select(process => process.WaitForExitAsync()));
    }

    public Task StartAsync(IEnumerable<string> roles, IEnumerable<int> workers)
    {
        foreach (var index in workers)
        {
            StartWorker(index);
        }

        return cell.StartRolesAsync(roles);
    }

    /// <summary>Stops a role for a while. Another role may kill it meanwhile, if it holds a lock.</summary>
    public async Task StopRoleAsync(string role, int lengthMs)
    {
        var process = cell.Role(role);
        lock (_gate)
        {
            _ordered.Add(process.Id);
        }

        Signal.Send((uint)process.Id, Signal.SIGSTOP);
        await Task.Delay(lengthMs);
        Signal.Send((uint)process.Id, Signal.SIGCONT);
        if (process.HasExited)
        {
            KilledAsHolders++;
            await cell.StartRoleAsync(role);
        }

        lock (_gate)
        {
            _ordered.Remove(process.Id);
        }
    }

    /// <summary>Stops a worker now and wakes it later; returns at once. Nothing happens when it is stopped
    /// already.</summary>
    public void StopWorker(int index, int lengthMs)
    {
        lock (_gate)
        {
            // One worker must remain to do the work.
            if (_stopped.Count + 1 >= _workers.Length || !_stopped.Add(index))
            {
                return;
            }

            WorkersStopped++;
            var process = _workers[index];
            Signal.Send((uint)process.Id, Signal.SIGSTOP);
            _wakes.Add(WakeAsync(index, process, lengthMs));
        }
    }

    /// <summary>Ends when every stopped worker goes on.</summary>
    public Task AllAwakeAsync()
    {
        lock (_gate)
        {
            return Task.WhenAll(_wakes);
        }
    }

    /// <summary>Starts again what has ended although nobody ordered it, and counts it.</summary>
    public async Task MendAsync()
    {
        foreach (var role in CellProcesses.Roles)
        {
            if (cell.Role(role).HasExited)
            {
                Count(cell.Role(role), role);
                await cell.StartRoleAsync(role);
            }
        }

        for (var index = 0; index < _workers.Length; index++)
        {
            if (_workers[index].HasExited)
            {
                Count(_workers[index], "worker");
                StartWorker(index);
            }
        }
    }

    private void Count(Process process, string kind)
    {
        lock (_gate)
        {
            if (!_ordered.Contains(process.Id))
            {
                UnorderedEnds++;
                Console.WriteLine($"  the {kind} {process.Id} has ended by itself with {process.ExitCode}");
            }
        }
    }

    private async Task WakeAsync(int index, Process process, int lengthMs)
    {
        await Task.Delay(lengthMs);
        lock (_gate)
        {
            // It may have been killed and followed by another since.
            if (_workers[index] == process)
            {
                _stopped.Remove(index);
                Signal.Send((uint)process.Id, Signal.SIGCONT);
            }
        }
    }

    private void StartWorker(int index)
    {
        if (_workers[index] is { } former)
        {
            cell.RemoveWorker(former);
        }

        _workers[index] = cell.StartWorker(
            Environment.ProcessPath!, "worker", "--address", cell.Address, "--slots", "6");
    }
}
