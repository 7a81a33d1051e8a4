// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Text;
using Muster.Core;
using Muster.Plm;
using Muster.Transport.Wire;

namespace Muster.Server.PlmHosting;

/// <summary>
/// One muster.v1.SessionRequest, read outside the turn and found well-formed. One for each stream, used again and
/// again: the batch stays where it is, in the bytes of the message.
/// </summary>
internal sealed class SessionFrame
{
    private const int Varint = 0;
    private const int Fixed64 = 1;
    private const int Length = 2;

    public bool HasHello { get; private set; }

    public uint WireVersion { get; private set; }

    public SessionHello Hello { get; private set; }

    /// <summary>0: the message confirms nothing new.</summary>
    public ulong ConfirmedTotal { get; private set; }

    /// <summary>Ids of tasks to cancel.</summary>
    public List<ulong> Cancels { get; } = [];

    public bool HasBatch { get; private set; }

    /// <summary>Where the batch stands in the message.</summary>
    public Range Batch { get; private set; }

    public int BatchItems { get; private set; }

    public ulong BatchFirstRef { get; private set; }

    /// <summary>Reads a message. Throws <see cref="WireFormatException"/> when it is damaged.</summary>
    public void Read(ReadOnlySpan<byte> message)
    {
        HasHello = false;
        HasBatch = false;
        ConfirmedTotal = 0;
        Cancels.Clear();
        var reader = new ProtoReader(message);
        while (reader.NextField())
        {
            switch (reader.Field, reader.WireType)
            {
                case (1, Length):
                    ReadHello(reader.ReadBytes());
                    break;
                case (2, Length):
                    var batch = reader.ReadBytes();
                    ReadBatch(batch, (reader.Position - batch.Length)..reader.Position);
                    break;
                case (3, Varint):
                    ConfirmedTotal = reader.ReadVarint();
                    break;
                case (4, Length or Fixed64):
                    BatchBytes.ReadFixed64(ref reader, Cancels);
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
    }

    private void ReadBatch(ReadOnlySpan<byte> batch, Range range)
    {
        if (HasBatch)
        {
            throw new WireFormatException("the message has two batches");
        }

        HasBatch = true;
        Batch = range;
        BatchItems = BatchBytes.CountItems(batch, out var firstRef);
        BatchFirstRef = firstRef;
    }

    private void ReadHello(ReadOnlySpan<byte> hello)
    {
        HasHello = true;
        WireVersion = 0;
        ulong clientId = 0;
        var name = string.Empty;
        uint unconfirmedMax = 0;
        ulong first = 0;
        ulong last = 0;
        uint epoch = 0;
        ulong streamNumber = 0;
        var reader = new ProtoReader(hello);
        while (reader.NextField())
        {
            switch (reader.Field, reader.WireType)
            {
                case (1, Varint):
                    WireVersion = reader.ReadUInt32();
                    break;
                case (2, Fixed64):
                    clientId = reader.ReadFixed64();
                    break;
                case (3, Length):
                    name = ShownText.Name(Encoding.UTF8.GetString(reader.ReadBytes()));
                    break;
                case (4, Varint):
                    unconfirmedMax = reader.ReadUInt32();
                    break;
                case (5, Varint):
                    first = reader.ReadVarint();
                    break;
                case (6, Varint):
                    last = reader.ReadVarint();
                    break;
                case (7, Varint):
                    epoch = reader.ReadUInt32();
                    break;
                case (8, Varint):
                    streamNumber = reader.ReadVarint();
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        Hello = new SessionHello(clientId, name, unconfirmedMax, first, last, epoch, streamNumber);
    }
}
