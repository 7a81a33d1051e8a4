// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Server.Spill;

/// <summary>Whom the thread "spill" tells what it has done. Called on that thread; each is a turn of the PLM.</summary>
internal interface ISpillHost
{
    void SpillWritten(uint extent, ulong generation, bool isWritten);

    void SpillRead();

    /// <summary>A file is damaged: the role must end.</summary>
    void SpillFailed(Exception why);
}
