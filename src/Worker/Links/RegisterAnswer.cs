// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Text;
using Muster.Core.Tasks;
using Muster.Transport.Wire;

namespace Muster.Worker.Links;

/// <summary>
/// A muster.v1.HeartbeatResponse, read by hand: one comes per heartbeat, and most hold one number. Owned by the reading
/// loop, which reuses it.
/// </summary>
internal sealed class RegisterAnswer
{
    private const int WelcomeField = 1;
    private const int ConfirmedField = 2;
    private const int SupersededField = 3;
    private const int IntervalField = 4;
    private const int DrainField = 5;

    /// <summary>Only in the first message of a stream.</summary>
    public Registration? Welcome { get; private set; }

    public ulong ConfirmedNumber { get; private set; }

    public List<AttemptKey> Superseded { get; } = [];

    /// <summary>0: unchanged.</summary>
    public uint IntervalMs { get; private set; }

    public bool MustDrain { get; private set; }

    /// <summary>Replaces what an earlier message said.</summary>
    /// <exception cref="WireFormatException">It is not such a message.</exception>
    public void Read(ReadOnlySpan<byte> bytes)
    {
        Welcome = null;
        ConfirmedNumber = 0;
        Superseded.Clear();
        IntervalMs = 0;
        MustDrain = false;
        var reader = new ProtoReader(bytes);
        while (reader.NextField())
        {
            switch (reader.Field)
            {
                case WelcomeField:
                    Welcome = ReadWelcome(reader.ReadBytes());
                    break;
                case ConfirmedField:
                    ConfirmedNumber = reader.ReadVarint();
                    break;
                case SupersededField:
                    Superseded.Add(AttemptKeys.Read(reader.ReadBytes()));
                    break;
                case IntervalField:
                    IntervalMs = reader.ReadUInt32();
                    break;
                case DrainField:
                    MustDrain = reader.ReadBool();
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
    }

    private static Registration ReadWelcome(ReadOnlySpan<byte> bytes)
    {
        ulong workerId = 0;
        ulong cellId = 0;
        uint leaseMs = 0;
        uint intervalMs = 0;
        var fenced = false;
        uint epoch = 0;
        var addresses = new List<string>();
        var reader = new ProtoReader(bytes);
        while (reader.NextField())
        {
            switch (reader.Field)
            {
                case 2:
                    cellId = reader.ReadFixed64();
                    break;
                case 3:
                    workerId = reader.ReadFixed64();
                    break;
                case 4:
                    leaseMs = reader.ReadUInt32();
                    break;
                case 5:
                    intervalMs = reader.ReadUInt32();
                    break;
                case 6:
                    addresses.Add(Encoding.UTF8.GetString(reader.ReadBytes()));
                    break;
                case 7:
                    fenced = reader.ReadBool();
                    break;
                case 8:
                    epoch = reader.ReadUInt32();
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return new(workerId, cellId, leaseMs, intervalMs, addresses, fenced, epoch);
    }
}
