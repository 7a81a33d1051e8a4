// SPDX-License-Identifier: Apache-2.0
using Muster.Journal;
using Muster.Shared.Journal;
using Xunit;

namespace Muster.Unit.Journal;

/// <summary>
/// The suite over a disk in memory that gives short reads and writes and is interrupted now and then.
/// </summary>
public class MemoryJournalTests : JournalConformance
{
    private const int InterruptedEvery = 17;

    private readonly MemoryDisk _disk = new();
    private int _calls;

    internal override IJournal Open()
    {
        _disk.Shortening = (_, bytes) => ++_calls % 3 == 0 ? (bytes + 1) / 2 : bytes;
        _disk.Failing = (call, _) => call is DiskCall.Read or DiskCall.Write or DiskCall.Sync
            && ++_calls % InterruptedEvery == 0
                ? JournalErrno.EINTR
                : 0;
        var fault = FileJournal.TryOpen(_disk, Options, out var journal);
        Assert.True(fault.IsNone, fault.Message);
        return journal!;
    }
}
