// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics;
using Microsoft.Win32.SafeHandles;
using Muster.Arena.Native;
using Muster.Core;

namespace Muster.Arena;

/// <summary>
/// An empty file whose flock means something: making or removing the cell's arena, or holding a role. The kernel gives
/// the lock back when its holder dies, however it dies, and never while it is only stopped.
/// Owner: whoever took it; disposing gives it back. Thread-safe.
/// </summary>
internal sealed class LockFile : IDisposable
{
    private const int LookAgainMs = 2;

    private readonly SafeFileHandle _file;

    private LockFile(SafeFileHandle file) => _file = file;

    /// <summary>Takes the lock if nobody has it.</summary>
    /// <param name="path">Made when missing.</param>
    /// <param name="taken">The lock, or null: held by another, or refused.</param>
    /// <returns>A fault when the file cannot be used at all.</returns>
    public static Fault TryTake(string path, out LockFile? taken)
    {
        taken = null;
        while (true)
        {
            var file = Open.File(path, Open.O_CREAT | Open.O_RDWR, 0x180, out var errno);
            if (errno != 0)
            {
                file.Dispose();
                return ArenaFolder.Refusal(path, errno);
            }

            if (!Statx.TryOf(file, out var facts) || !facts.IsRegular || facts.Uid != User.Id)
            {
                file.Dispose();
                return new(FaultCode.ArenaOtherOwner, $"{path} is not a file of this user; remove it");
            }

            if (!Flock.TryExclusive(file))
            {
                file.Dispose();
                return Fault.None;
            }

            // Its last holder may have removed the file between our open and our lock: then the lock is worth nothing.
            if (Statx.TryOf(path, out var named) && named.IsSameFile(facts))
            {
                taken = new LockFile(file);
                return Fault.None;
            }

            file.Dispose();
        }
    }

    /// <summary>Takes the lock, waiting for its holder at most <paramref name="timeoutMs"/>.</summary>
    public static Fault Take(string path, int timeoutMs, out LockFile? taken)
    {
        var start = Stopwatch.GetTimestamp();
        while (true)
        {
            var fault = TryTake(path, out taken);
            if (!fault.IsNone || taken is not null)
            {
                return fault;
            }

            if (Stopwatch.GetElapsedTime(start).TotalMilliseconds > timeoutMs)
            {
                return new(
                    FaultCode.Unavailable,
                    $"another process has been making or removing this cell's arena for {timeoutMs} ms "
                    + $"(it holds {path}); if it hangs, kill it", RetryAfterMs: 1_000);
            }

            // flock has no timed form, and a signal to end an untimed one could arrive a moment too early.
            PidWatcher.Pause(LookAgainMs);
        }
    }

    /// <summary>Whether somebody, this process included, holds the lock. Leaves no file where there was none.</summary>
    public static bool IsHeld(string path)
    {
        if (!Statx.TryOf(path, out _))
        {
            return false;
        }

        var fault = TryTake(path, out var taken);
        taken?.Dispose();
        return fault.IsNone && taken is null;
    }

    public void Dispose() => _file.Dispose();
}
