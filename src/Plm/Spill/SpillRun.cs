// SPDX-License-Identifier: Apache-2.0
using Muster.Plm.Facts;

namespace Muster.Plm.Spill;

/// <summary>
/// Successive tasks of one session, or of one identity without a session, in one extent. They stand before the records,
/// so that what a session has on disk, and whose it is, is known without reading payloads.
/// </summary>
/// <param name="Client">Row of the client + 1; 0: without a session.</param>
/// <param name="Session">Which of the row's sessions.</param>
/// <param name="FirstRef">Ref of the first; the others follow one by one.</param>
/// <param name="FirstPlace">Place of the first; the others follow one by one.</param>
/// <param name="Count">How many.</param>
/// <param name="Owner">Number of the identity.</param>
internal readonly record struct SpillRun(
    uint Client, uint Session, ulong FirstRef, uint FirstPlace, uint Count, ushort Owner)
{
    public bool IsFollowedBy(in SpillRecord record) =>
        Client == record.Client
        && Session == record.Session
        && Owner == record.Owner
        && (Client == 0 || FirstRef + Count == record.Ref)
        && FirstPlace + Count == record.Place;

    /// <summary>A run has something to say of the record's task.</summary>
    public static bool IsWantedFor(in SpillRecord record) => record.Client != 0 || record.Owner != 0;

    public void Write(FactWriter writer)
    {
        writer.Varint(Client);
        writer.Varint(Session);
        writer.Varint(FirstRef);
        writer.Varint(FirstPlace);
        writer.Varint(Count);
        writer.Varint(Owner);
    }

    public static SpillRun Read(ref FactReader reader) =>
        new(
            reader.UInt32(),
            reader.UInt32(),
            reader.Varint(),
            reader.UInt32(),
            reader.UInt32(),
            (ushort)reader.UInt32());
}
