// SPDX-License-Identifier: Apache-2.0
using System.Globalization;
using System.Text.Json;
using Muster.Cli.Output;
using Muster.Journal;
using Muster.Server.Journal;

namespace Muster.Cli.Journals;

/// <summary>muster journal cat: each record on a line, as it is found.</summary>
internal sealed class JournalListing(Terminal terminal)
{
    public required ulong From { get; init; }

    /// <summary>Null: all.</summary>
    public required ushort? Kind { get; init; }

    public required bool IsJson { get; init; }

    public void Print(IJournalDisk disk)
    {
        var layout = JournalPlace.Layout(disk);
        var first = From == 0 ? 0 : layout.IndexOf(From);
        var fault = JournalScan.Run(disk, layout.Segments, first, Print, out var tail);
        JournalPlace.Require(fault);
        if (tail.IsTorn)
        {
            terminal.Note(
                $"an unfinished write follows record {tail.Last.Sequence} at offset {tail.Offset} of "
                + $"{layout.Segments[tail.Segment].Name}; the next start cuts it");
        }
    }

    private static string Text(in ScannedRecord record) => record.Header.IsMark
        ? JournalFormat.MarkName(record.Header.Kind)
        : CellJournal.Describe(record.Header.Kind, record.Body);

    private bool Print(in ScannedRecord record)
    {
        var header = record.Header;
        if (header.Sequence < From || (Kind is { } kind && header.Kind != kind))
        {
            return true;
        }

        if (IsJson)
        {
            terminal.Line(Json(record));
        }
        else
        {
            terminal.Line(string.Create(
                CultureInfo.InvariantCulture,
                $"{header.Sequence,10} {record.Segment,6}:{record.Offset,-10} {header.BodyBytes,8} B  {Text(record)}"));
        }

        return true;
    }

    private static string Json(in ScannedRecord record)
    {
        var header = record.Header;
        var (segment, offset, text) = (record.Segment, record.Offset, Text(record));
        return JsonLines.Write(writer => Write(writer, header, segment, offset, text));
    }

    private static void Write(Utf8JsonWriter writer, in RecordHeader header, ulong segment, long offset, string text)
    {
        writer.WriteStartObject();
        writer.WriteNumber("sequence", header.Sequence);
        writer.WriteNumber("segment", segment);
        writer.WriteNumber("offset", offset);
        writer.WriteNumber("kind", header.Kind);
        writer.WriteNumber("bytes", header.BodyBytes);
        writer.WriteNumber("synced", header.Synced);
        writer.WriteString("text", text);
        writer.WriteEndObject();
    }
}
