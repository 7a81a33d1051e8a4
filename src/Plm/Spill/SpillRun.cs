// SPDX-License-Identifier: Apache-2.0
using Muster.Plm.Facts;

namespace Muster.Plm.Spill;

/// <summary>
/// Successive tasks of one session in one extent. They stand before the records, so that what a session has on disk is
/// known without reading payloads.
/// </summary>
/// <param name="Client">Row of the client + 1.</param>
/// <param name="Session">Which of the row's sessions.</param>
/// <param name="FirstRef">Ref of the first; the others follow one by one.</param>
/// <param name="FirstPlace">Place of the first; the others follow one by one.</param>
/// <param name="Count">How many.</param>
internal readonly record struct SpillRun(uint Client, uint Session, ulong FirstRef, uint FirstPlace, uint Count)
{
    public bool IsFollowedBy(in SpillRecord record) =>
        Client == record.Client
        && Session == record.Session
        && FirstRef + Count == record.Ref
        && FirstPlace + Count == record.Place;

    public void Write(FactWriter writer)
    {
        writer.Varint(Client);
        writer.Varint(Session);
        writer.Varint(FirstRef);
        writer.Varint(FirstPlace);
        writer.Varint(Count);
    }

    public static SpillRun Read(ref FactReader reader) =>
        new(reader.UInt32(), reader.UInt32(), reader.Varint(), reader.UInt32(), reader.UInt32());
}
