// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using Muster.Core.Tasks;
using Muster.Scheduler;
using Muster.Transport.Wire;

namespace Muster.Server.SchedulerHosting;

/// <summary>
/// One muster.v1.DispatchRequest, read outside the turn and found well-formed. One for each stream, used again and
/// again.
/// </summary>
internal sealed class DispatchFrame
{
    /// <summary>
    /// Attempts in one list: twice what a worker of the most slots can hold, with as many results unconfirmed. A longer
    /// list would only be there to take memory.
    /// </summary>
    public const int KeysMax = 262_144;

    private const int Varint = 0;
    private const int Fixed64 = 1;
    private const int Length = 2;

    private readonly List<AttemptKey> _inHand = [];
    private readonly List<AttemptKey> _unconfirmed = [];
    private readonly List<AttemptKey> _returned = [];
    private uint _wireVersion;
    private ulong _workerId;
    private ulong _nonce;
    private ulong _endedTotal;

    public bool HasHello { get; private set; }

    /// <summary>Number of the identity that the stream was opened by.</summary>
    public uint Owner { get; init; }

    public ReadOnlySpan<AttemptKey> Returned => CollectionsMarshal.AsSpan(_returned);

    /// <summary>The hello; good until the next message is read.</summary>
    public DispatchFacts Hello => new()
    {
        WireVersion = _wireVersion,
        WorkerId = _workerId,
        Nonce = _nonce,
        Owner = Owner,
        EndedTotal = _endedTotal,
        InHand = CollectionsMarshal.AsSpan(_inHand),
        Unconfirmed = CollectionsMarshal.AsSpan(_unconfirmed),
    };

    /// <summary>Reads a message. Throws <see cref="WireFormatException"/> when it is damaged.</summary>
    public void Read(ReadOnlySpan<byte> message)
    {
        HasHello = false;
        _inHand.Clear();
        _unconfirmed.Clear();
        _returned.Clear();
        var reader = new ProtoReader(message);
        while (reader.NextField())
        {
            switch (reader.Field, reader.WireType)
            {
                case (1, Length):
                    ReadHello(reader.ReadBytes());
                    break;
                case (2, Length):
                    Add(_returned, reader.ReadBytes());
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
    }

    private void ReadHello(ReadOnlySpan<byte> hello)
    {
        HasHello = true;
        _wireVersion = 0;
        (_workerId, _nonce, _endedTotal) = (0, 0, 0);
        var reader = new ProtoReader(hello);
        while (reader.NextField())
        {
            switch (reader.Field, reader.WireType)
            {
                case (1, Varint):
                    _wireVersion = reader.ReadUInt32();
                    break;
                case (2, Fixed64):
                    _workerId = reader.ReadFixed64();
                    break;
                case (3, Fixed64):
                    _nonce = reader.ReadFixed64();
                    break;
                case (4, Length):
                    Add(_inHand, reader.ReadBytes());
                    break;
                case (5, Length):
                    Add(_unconfirmed, reader.ReadBytes());
                    break;
                case (6, Varint):
                    _endedTotal = reader.ReadVarint();
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
    }

    private static void Add(List<AttemptKey> keys, ReadOnlySpan<byte> key)
    {
        if (keys.Count == KeysMax)
        {
            throw new WireFormatException("the message lists more attempts than a worker can hold");
        }

        ulong task = 0;
        uint attempt = 0;
        var reader = new ProtoReader(key);
        while (reader.NextField())
        {
            switch (reader.Field, reader.WireType)
            {
                case (1, Fixed64):
                    task = reader.ReadFixed64();
                    break;
                case (2, Varint):
                    attempt = reader.ReadUInt32();
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        keys.Add(new(new(task), new(attempt)));
    }
}
