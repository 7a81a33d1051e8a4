// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Concurrent;
using System.Globalization;
using System.IO;
using System.Text;
using System.Threading;
using Muster.Arena.Native;

namespace Muster.Worker.Commands;

/// <summary>
/// Finds what commands leave behind on hosts without control groups. This process adopts the orphans of its commands,
/// so the descendants of one that has ended are children of its first thread. A child belongs to a command when it is
/// of the command's session or carries the command's mark in its environment. One that gave up both is killed only
/// where this process starts nothing but commands.
/// </summary>
internal sealed class StrayProcesses
{
    public const string MarkName = "MUSTER_MARK";

    private const int RoundsMax = 200;
    private const int PauseMs = 1;

    // Several workers of one process have marks of their own.
    private static int s_made;

    private readonly bool _ownsProcess;
    private readonly ConcurrentDictionary<int, ulong> _running = new();
    private readonly string _children = string.Create(
        CultureInfo.InvariantCulture, $"/proc/self/task/{Environment.ProcessId}/children");

    public StrayProcesses(bool ownsProcess)
    {
        _ownsProcess = ownsProcess;
        IsActive = ProcessPrivileges.AdoptOrphans() && File.Exists(_children);
    }

    /// <summary>What every command of this worker has in its environment, with its own number behind.</summary>
    public string Mark { get; } = string.Create(
        CultureInfo.InvariantCulture,
        $"{MarkName}={Environment.ProcessId}-{ProcStat.OwnStart}-{Interlocked.Increment(ref s_made)}-");

    /// <summary>Whether this kernel tells who was adopted.</summary>
    public bool IsActive { get; }

    public void Add(ChildProcess child) => _running[child.Pid] = child.Number;

    public void Remove(ChildProcess child) => _running.TryRemove(child.Pid, out _);

    /// <summary>Kills what a command that has ended left behind, and waits until it is dead.</summary>
    public void KillOf(ChildProcess child)
    {
        if (!IsActive)
        {
            return;
        }

        for (var round = 0; round < RoundsMax && KillRound(child); round++)
        {
            // What was killed takes a moment to die and to leave its own children to this process.
            PidWatcher.Pause(PauseMs);
        }
    }

    // Whether any was found, so that another look is due.
    private bool KillRound(ChildProcess child)
    {
        var any = false;
        foreach (var text in ReadText(_children).Split(' '))
        {
            if (!int.TryParse(text, CultureInfo.InvariantCulture, out var pid))
            {
                continue;
            }

            var (state, session) = StateOf(pid);
            if (session == 0 || pid == child.Pid || !IsOf(child, pid, session))
            {
                continue;
            }

            any = true;
            if (state == 'Z')
            {
                SpawnWait.ReapAdopted(pid);
            }
            else
            {
                SpawnWait.Kill(pid);
            }
        }

        return any;
    }

    private bool IsOf(ChildProcess child, int pid, int session)
    {
        if (session == child.Pid)
        {
            return true;
        }

        if (_running.ContainsKey(session))
        {
            return false;
        }

        var environment = Environ(pid);
        var mark = environment.IndexOf(Mark, StringComparison.Ordinal);
        if (mark < 0)
        {
            return _ownsProcess;
        }

        var number = environment.AsSpan(mark + Mark.Length);
        var end = number.IndexOf('\0');
        return ulong.TryParse(end < 0 ? number : number[..end], CultureInfo.InvariantCulture, out var owner)
            && (owner == child.Number || !_running.Values.Contains(owner));
    }

    private static (char State, int Session) StateOf(int pid)
    {
        var text = ReadText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"));
        var fields = text.AsSpan(text.LastIndexOf(')') + 1).Trim();
        Span<Range> parts = stackalloc Range[5];
        return fields.Split(parts, ' ') == 5
            ? (fields[parts[0]][0], int.Parse(fields[parts[3]], CultureInfo.InvariantCulture))
            : default;
    }

    private static string Environ(int pid) =>
        ReadText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/environ"));

    private static string ReadText(string path)
    {
        try
        {
            return File.ReadAllText(path, Encoding.Latin1);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // It has ended, or became another user's.
            return "";
        }
    }
}
