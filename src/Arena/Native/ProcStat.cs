// SPDX-License-Identifier: Apache-2.0
using System;
using System.Globalization;
using System.IO;

namespace Muster.Arena.Native;

/// <summary>
/// What /proc says of a process. A pid alone proves nothing: pids are reused, and a zombie keeps its own. Pid and start
/// time together name one process for the life of the machine.
/// </summary>
/// <param name="State">R, S, D, T (stopped), t (traced), Z (zombie) or X.</param>
/// <param name="Start">Field 22 of /proc/PID/stat: clock ticks from boot to the process's start.</param>
internal readonly record struct ProcStat(char State, ulong Start)
{
    private const int StartFieldAfterState = 19;

    private static readonly ulong s_ownStart = TryRead((uint)Environment.ProcessId, out var own) ? own.Start : 0;

    /// <summary>Start time of this process.</summary>
    public static ulong OwnStart => s_ownStart;

    public bool IsDead => State is 'Z' or 'X';

    /// <summary>Stopped by a signal or a debugger: it will not run until somebody lets it.</summary>
    public bool IsStopped => State is 'T' or 't';

    /// <summary>Reads a process or thread; false when there is none.</summary>
    public static bool TryRead(uint pid, out ProcStat stat)
    {
        stat = default;
        if (!TryReadText($"/proc/{pid}/stat", out var text))
        {
            return false;
        }

        // The name, in parentheses, may hold spaces and parentheses of its own; what follows its last one does not.
        var fields = text.AsSpan(text.LastIndexOf(')') + 2);
        var state = fields[0];
        for (var skipped = 0; skipped < StartFieldAfterState; skipped++)
        {
            fields = fields[(fields.IndexOf(' ') + 1)..];
        }

        stat = new(state, ulong.Parse(fields[..fields.IndexOf(' ')], NumberStyles.None, CultureInfo.InvariantCulture));
        return true;
    }

    /// <summary>Whether the process that had this pid and start time still runs or is stopped.</summary>
    public static bool IsAlive(uint pid, ulong start) =>
        pid != 0 && TryRead(pid, out var stat) && stat.Start == start && !stat.IsDead;

    /// <summary>The process that a thread belongs to.</summary>
    public static bool TryProcessOf(uint thread, out uint pid)
    {
        const string label = "Tgid:";
        pid = 0;
        if (!TryReadText($"/proc/{thread}/status", out var text))
        {
            return false;
        }

        var line = text.AsSpan(text.IndexOf(label, StringComparison.Ordinal) + label.Length);
        pid = uint.Parse(line[..line.IndexOf('\n')].Trim(), NumberStyles.None, CultureInfo.InvariantCulture);
        return true;
    }

    private static bool TryReadText(string path, out string text)
    {
        try
        {
            text = File.ReadAllText(path);
            return text.Length > 0;
        }
        catch (IOException)
        {
            // No such process, or it ended between open and read (ESRCH): both are the answer "none".
            text = string.Empty;
            return false;
        }
    }
}
