// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;

namespace Muster.Shared.Histories;

/// <summary>
/// What a client must remember of its session to continue it after its own death: its id, the refs whose fate it does
/// not know, the tasks it still waits for. It follows from the events alone, so whoever saw the events can hand the
/// book to the client's successor. Not for several threads at a time; its owner locks.
/// </summary>
internal sealed class SessionBook
{
    /// <summary>Names the session at the server; 0 before the first registration.</summary>
    public ulong ClientId { get; private set; }

    /// <summary>Of the cell when it last welcomed the session; 0 before.</summary>
    public uint Epoch { get; private set; }

    public long NextKey { get; private set; }

    /// <summary>Sent, unanswered: ref and key.</summary>
    public SortedDictionary<ulong, long> Unresolved { get; } = [];

    /// <summary>Accepted, without a result: ref, key and task.</summary>
    public Dictionary<ulong, (long Key, ulong Task)> Open { get; } = [];

    public int Waiting => Unresolved.Count + Open.Count;

    public static SessionBook Read(TextReader reader)
    {
        var book = new SessionBook();
        var head = Numbers(reader.ReadLine());
        book.ClientId = head[0];
        book.NextKey = (long)head[1];
        book.Epoch = (uint)head[4];
        for (var count = head[2]; count > 0; count--)
        {
            var line = Numbers(reader.ReadLine());
            book.Unresolved[line[0]] = (long)line[1];
        }

        for (var count = head[3]; count > 0; count--)
        {
            var line = Numbers(reader.ReadLine());
            book.Open[line[0]] = ((long)line[1], line[2]);
        }

        return book;
    }

    public void Write(TextWriter writer)
    {
        writer.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{ClientId} {NextKey} {Unresolved.Count} {Open.Count} {Epoch}"));
        foreach (var (itemRef, key) in Unresolved)
        {
            writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{itemRef} {key}"));
        }

        foreach (var (itemRef, (key, task)) in Open)
        {
            writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{itemRef} {key} {task}"));
        }

        writer.Flush();
    }

    /// <summary>Follows one event of the client whose book this is.</summary>
    public void Follow(in HistoryEvent happened)
    {
        switch (happened.Op)
        {
            case HistoryOp.Join:
                ClientId = happened.Task;
                Epoch = (uint)happened.Ref;
                break;
            case HistoryOp.Submit:
                Unresolved[happened.Ref] = happened.Key;
                NextKey = Math.Max(NextKey, happened.Key + 1);
                break;
            case HistoryOp.Accept:
                Unresolved.Remove(happened.Ref);
                Open[happened.Ref] = (happened.Key, happened.Task);
                break;
            case HistoryOp.Refuse:
            case HistoryOp.Unknown:
                Unresolved.Remove(happened.Ref);
                break;
            default:
                // A result may overtake the answer to its submission.
                Unresolved.Remove(happened.Ref);
                Open.Remove(happened.Ref);
                break;
        }
    }

    private static ulong[] Numbers(string? line) =>
        [.. (line ?? throw new EndOfStreamException("the book ends early"))
            .Split(' ')
            .Select(word => ulong.Parse(word, CultureInfo.InvariantCulture))];
}
