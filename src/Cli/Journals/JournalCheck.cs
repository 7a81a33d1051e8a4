// SPDX-License-Identifier: Apache-2.0
using System.Threading.Tasks;
using Muster.Cli.Output;
using Muster.Core;
using Muster.Journal;

namespace Muster.Cli.Journals;

/// <summary>muster journal verify: reads every record of every segment and counts.</summary>
internal sealed class JournalCheck
{
    private const int MegaByteShift = 20;

    private readonly ProgressMeter _progress;
    private ulong _segment;
    private long _megaByte;

    private JournalCheck(ProgressMeter progress) => _progress = progress;

    public required JournalLayout Layout { get; init; }

    /// <summary>What is wrong with it; none when every record is what was written.</summary>
    public Fault Wrong { get; private set; }

    /// <summary>Where the reading ended: at the journal's end, or at what is wrong with a record.</summary>
    public JournalTail Tail { get; private set; }

    public long Records { get; private set; }

    public long Marks { get; private set; }

    public long BodyBytes { get; private set; }

    public static async Task<JournalCheck> RunAsync(IJournalDisk disk, Terminal terminal)
    {
        var wrong = JournalLayout.TryRead(disk, out var layout);
        if (wrong.IsNone)
        {
            layout = JournalPlace.Layout(disk);
        }

        await using var progress = new ProgressMeter(terminal, isForced: false);
        var check = new JournalCheck(progress) { Layout = layout, Wrong = wrong };
        if (!wrong.IsNone)
        {
            // A header: of the records nothing is known.
            return check;
        }

        long bytes = 0;
        foreach (var segment in layout.Segments)
        {
            bytes += segment.Header.SegmentBytes;
        }

        // Counted in MiB: the one thing known beforehand.
        progress.SetTotal(bytes >> MegaByteShift);
        check.Wrong = JournalScan.Run(disk, layout.Segments, 0, check.Count, out var tail);
        check.Tail = tail;
        return check;
    }

    private bool Count(in ScannedRecord record)
    {
        if (record.Header.IsMark)
        {
            Marks++;
        }
        else
        {
            Records++;
            BodyBytes += record.Header.BodyBytes;
        }

        var megaByte = record.Offset >> MegaByteShift;
        if (record.Segment != _segment)
        {
            _segment = record.Segment;
            _megaByte = 0;
        }

        for (; _megaByte < megaByte; _megaByte++)
        {
            _progress.Count(isFailed: false);
        }

        return true;
    }
}
