// SPDX-License-Identifier: Apache-2.0
using System;
using System.IO;
using Muster.Plm.Facts;

namespace Muster.Server.Journal;

/// <summary>Counts what a journal's records tell, for people who are about to lose them. One thread.</summary>
internal sealed class RecordTally
{
    /// <summary>Tasks that were accepted. A snapshot tells of a task again.</summary>
    public long Submitted { get; private set; }

    /// <summary>Tasks that ended.</summary>
    public long Ended { get; private set; }

    /// <summary>Ended tasks that nobody needed any more.</summary>
    public long Released { get; private set; }

    /// <summary>Records that this version cannot read.</summary>
    public long Unreadable { get; private set; }

    public void Add(ushort kind, ReadOnlySpan<byte> body)
    {
        if (kind != RecordKind.Turn)
        {
            return;
        }

        try
        {
            var reader = new FactReader(body);
            while (reader.TryNext(out var fact, out var bytes))
            {
                Add(fact, bytes);
            }
        }
        catch (InvalidDataException)
        {
            // Of another version, or not what it was: what could not be read is counted as that.
            Unreadable++;
        }
    }

    private void Add(FactKind kind, FactReader fact)
    {
        switch (kind)
        {
            case FactKind.Submitted:
                _ = SubmittedFact.ReadWithOptions(ref fact, out _);
                AddItems(fact);
                break;
            case FactKind.SubmittedBy:
                _ = fact.UInt32();
                goto case FactKind.SubmittedAs;
            case FactKind.SubmittedAs:
                _ = SubmittedFact.Read(ref fact);
                AddItems(fact);
                break;
            case FactKind.Ended:
                Ended++;
                break;
            case FactKind.Released:
                for (; !fact.IsEmpty; Released++)
                {
                    _ = fact.Fixed64();
                }

                break;
            default:
                break;
        }
    }

    private void AddItems(FactReader fact)
    {
        for (; !fact.IsEmpty; Submitted++)
        {
            _ = SubmittedItem.Read(ref fact);
        }
    }
}
