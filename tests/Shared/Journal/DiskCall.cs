// SPDX-License-Identifier: Apache-2.0
namespace Muster.Shared.Journal;

/// <summary>A call that a <see cref="MemoryDisk"/> is about to carry out.</summary>
internal enum DiskCall
{
    List,
    Open,
    Create,
    Rename,
    Delete,
    SyncFolder,
    Read,
    Write,
    Allocate,
    Sync,
}
