// SPDX-License-Identifier: Apache-2.0
using System;
using System.IO;
using Muster.Core;
using Muster.Plm;
using Muster.Server.Journal;
using Muster.Server.Spill;

namespace Muster.Server.PlmHosting;

/// <content>Files for tasks that the arena has no room for; a cell without a state folder has none.</content>
internal sealed partial class PlmHost : ISpillHost
{
    private const string SpillFolderName = "spill";
    private const int RefusalPauseMs = 60_000;

    private DiskFolder? _spillFolder;
    private SpillThread? _spill;

    // Of the spill thread alone. A full disk that is drained takes a file now and then, so the change is no event.
    private long _refusalToldAtMs = long.MinValue / 2;

    void ISpillHost.SpillWritten(uint extent, ulong generation, bool isWritten)
    {
        if (!isWritten && Environment.TickCount64 - _refusalToldAtMs >= RefusalPauseMs)
        {
            _refusalToldAtMs = Environment.TickCount64;
            PlmLog.SpillRefused(_logger, _options.Cell, _spill!.Refusal.Message);
        }

        TryRun(new SpillTurn(extent, generation, isWritten), out _);
    }

    void ISpillHost.SpillRead() => TryRun(new LookTurn(), out _);

    void ISpillHost.SpillFailed(Exception why) => Fail(why);

    private Fault TryOpenSpill(string stateFolder)
    {
        if (_arena.Spill.Capacity == 0)
        {
            return Fault.None;
        }

        var path = Path.Combine(stateFolder, SpillFolderName);
        var fault = DiskFolder.TryOpen(path, out _spillFolder);
        if (fault.IsNone)
        {
            _spill = new SpillThread(new SpillFiles(_spillFolder!, _arena.CellId), path, this);
        }

        return fault;
    }

    private void CloseSpill()
    {
        _spill?.Dispose();
        _spillFolder?.Dispose();
    }

    private sealed class SpillTurn(uint extent, ulong generation, bool isWritten) : IPlmTurn
    {
        public void Run(PlmCore core, PlmTime now) => core.SpillWritten(extent, generation, isWritten);
    }

    /// <summary>The end of every turn looks at what waits.</summary>
    private sealed class LookTurn : IPlmTurn
    {
        public void Run(PlmCore core, PlmTime now)
        {
        }
    }
}
