// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Core;
using Muster.Journal;
using Muster.Server.PlmHosting;
using Muster.Simulation.Disks;
using Muster.Simulation.Kernel;

namespace Muster.Simulation.Roles;

/// <summary>
/// The PLM's thread "journal" as events: writes what turns appended, flushes it after as long as the disk takes, and
/// has a turn that says how far that went. Between a write and its flush everything else goes on, and the power may go.
/// </summary>
internal sealed class JournalWork(World world, PlmProcess host, FileJournal log, int snapshotBytesMin)
{
    private const long FlushIntervalUs = 10_000;
    private const long MaintainUs = 1_000;
    private const long RefusedUs = 100_000;

    private bool _isBusy;
    private bool _wantsSync;
    private bool _isMaintaining;
    private long _unsyncedSinceUs = -1;

    public PlmJournal Journal { get; } = new(log, snapshotBytesMin);

    /// <summary>A turn appended something.</summary>
    public void Appended(bool wantsSync)
    {
        _wantsSync |= wantsSync;
        WorkSoon(world.Random.Range(2, 60));
    }

    private void WorkSoon(long delayUs)
    {
        if (!_isBusy)
        {
            _isBusy = true;
            host.After(delayUs, Write);
        }
    }

    private void Write()
    {
        var isDue = _unsyncedSinceUs >= 0 && world.NowUs - _unsyncedSinceUs >= FlushIntervalUs;
        var sync = _wantsSync || isDue;
        _wantsSync = false;
        if (log.AppendedSequence <= log.WrittenSequence && !sync)
        {
            _isBusy = false;
            return;
        }

        if (!TryUse(() => log.Commit(sync: false)))
        {
            return;
        }

        if (sync)
        {
            host.After(host.Cell.Plan.FlushUs(world.Random), Flush);
        }
        else
        {
            host.After(world.Random.Range(5, 100), Tell);
        }
    }

    private void Flush()
    {
        if (TryUse(() => log.Commit(sync: true)))
        {
            Tell();
        }
    }

    private void Tell()
    {
        var (written, synced) = (log.WrittenSequence, log.SyncedSequence);
        if (synced == written)
        {
            _unsyncedSinceUs = -1;
        }
        else if (_unsyncedSinceUs < 0)
        {
            _unsyncedSinceUs = world.NowUs;
        }

        world.Trace.Add(TraceMark.Disk, host.Index, written, synced);
        if (!host.TryTurn((core, _) => core.JournalReached(written, synced)))
        {
            return;
        }

        _isBusy = false;
        if (_wantsSync || log.AppendedSequence > log.WrittenSequence)
        {
            WorkSoon(world.Random.Range(2, 60));
        }
        else if (_unsyncedSinceUs >= 0)
        {
            WorkSoon(Math.Max(1, _unsyncedSinceUs + FlushIntervalUs - world.NowUs));
        }

        MaintainSoon(MaintainUs);
    }

    private void MaintainSoon(long delayUs)
    {
        if (_isMaintaining)
        {
            return;
        }

        _isMaintaining = true;
        host.After(delayUs, () =>
        {
            _isMaintaining = false;
            var hasMore = false;
            if (!TryUse(() => hasMore = log.Maintain()))
            {
                return;
            }

            if (hasMore || !log.Refusal.IsNone)
            {
                // While nothing is accepted nothing is appended, and nobody else would look for room.
                MaintainSoon(hasMore ? MaintainUs : RefusedUs);
            }
        });
    }

    // A call that failed says nothing about what the disk holds, so the process ends; the power may go in its midst.
    private bool TryUse(Action use)
    {
        try
        {
            use();
            return true;
        }
        catch (JournalFailedException)
        {
            host.Cell.KillRole(host);
            return false;
        }
        catch (PowerWent)
        {
            host.Cell.LosePower();
            return false;
        }
    }
}
