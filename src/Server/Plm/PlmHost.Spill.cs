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

    private DiskFolder? _spillFolder;
    private SpillThread? _spill;

    void ISpillHost.SpillWritten(uint extent, ulong generation, bool isWritten) =>
        TryRun(new SpillTurn(extent, generation, isWritten), out _);

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
