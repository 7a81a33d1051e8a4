// SPDX-License-Identifier: Apache-2.0
using System.Globalization;
using Muster.Cli.Output;
using Muster.Journal;
using Muster.Server.Journal;

namespace Muster.Cli.Journals;

/// <summary>What a repair takes out of the journal, in words.</summary>
internal sealed class RepairLoss
{
    private readonly RecordTally _tally = new();
    private long _records;
    private ulong _first = ulong.MaxValue;
    private ulong _last;

    public static void Print(Terminal terminal, IJournalDisk disk, RepairPlan plan, bool isDry)
    {
        var loss = new RepairLoss();
        JournalPlace.Require(JournalLoss.Visit(disk, plan, loss.Add));
        var would = isDry ? "would be lost" : "lost";
        if (loss._records == 0)
        {
            terminal.Line($"{would}: no whole record");
            return;
        }

        terminal.Line(string.Create(
            CultureInfo.InvariantCulture,
            $"{would}: {loss._records} whole records between {loss._first} and {loss._last}, which tell of "
            + $"{loss._tally.Submitted} tasks accepted, {loss._tally.Ended} ended "
            + $"and {loss._tally.Released} released"));
        terminal.Line(
            "unless the cell's arena lives, those accepted there are gone, and those whose end is there run again");
        if (loss._tally.Unreadable > 0)
        {
            terminal.Line(string.Create(
                CultureInfo.InvariantCulture,
                $"{loss._tally.Unreadable} of these records cannot be read by this version"));
        }
    }

    private bool Add(in ScannedRecord record)
    {
        if (!record.Header.IsMark)
        {
            _records++;
            _first = ulong.Min(_first, record.Header.Sequence);
            _last = ulong.Max(_last, record.Header.Sequence);
            _tally.Add(record.Header.Kind, record.Body);
        }

        return true;
    }
}
