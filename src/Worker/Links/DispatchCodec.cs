// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Transport.Wire;
using Muster.Worker.Attempts;

namespace Muster.Worker.Links;

/// <summary>
/// Reads muster.v1.DispatchResponse and writes muster.v1.DispatchRequest, by hand, because the generated classes would
/// make several objects per task.
/// </summary>
internal static class DispatchCodec
{
    private const int HelloField = 1;
    private const int ReturnedField = 2;
    private const int GroupsField = 1;
    private const int CancelField = 2;
    private const int GroupHandlerField = 1;
    private const int GroupTimeoutField = 2;
    private const int GroupAssignmentsField = 3;
    private const int GroupProgressTimeoutField = 4;
    private const int GroupCancelGraceField = 5;

    /// <summary>Reads a message from the Scheduler.</summary>
    /// <exception cref="WireFormatException">It is damaged. What stood before the damage was told already.</exception>
    public static void Read(ReadOnlySpan<byte> bytes, IDispatchReader to)
    {
        var reader = new ProtoReader(bytes);
        while (reader.NextField())
        {
            switch (reader.Field)
            {
                case GroupsField:
                    ReadGroup(reader.ReadBytes(), to);
                    break;
                case CancelField:
                    to.Cancel(AttemptKeys.Read(reader.ReadBytes()));
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
    }

    /// <summary>The first message of a stream.</summary>
    public static void WriteHello(
        ProtoWriter writer,
        ulong workerId,
        ulong nonce,
        IReadOnlyList<AttemptKey> inHand,
        IReadOnlyList<AttemptKey> unconfirmed,
        ulong endedTotal)
    {
        var hello = writer.Begin(HelloField);
        writer.WriteUInt32(1, TaskLimits.WireVersion);
        writer.WriteFixed64(2, workerId);
        writer.WriteFixed64(3, nonce);
        AttemptKeys.Write(writer, 4, inHand);
        AttemptKeys.Write(writer, 5, unconfirmed);
        writer.WriteUInt64(6, endedTotal);
        writer.End(hello);
    }

    /// <summary>Attempts that go back unstarted.</summary>
    public static void WriteReturned(ProtoWriter writer, IReadOnlyList<AttemptKey> keys) =>
        AttemptKeys.Write(writer, ReturnedField, keys);

    private static void ReadGroup(ReadOnlySpan<byte> bytes, IDispatchReader to)
    {
        // Protobuf does not promise an order of fields, so those that concern all assignments are looked for first.
        ReadOnlySpan<byte> handler = default;
        ulong timeoutMs = 0;
        ulong progressTimeoutMs = 0;
        ulong cancelGraceMs = 0;
        var first = new ProtoReader(bytes);
        while (first.NextField())
        {
            switch (first.Field)
            {
                case GroupHandlerField:
                    handler = first.ReadBytes();
                    break;
                case GroupTimeoutField:
                    timeoutMs = first.ReadVarint();
                    break;
                case GroupProgressTimeoutField:
                    progressTimeoutMs = first.ReadVarint();
                    break;
                case GroupCancelGraceField:
                    cancelGraceMs = first.ReadVarint();
                    break;
                default:
                    first.Skip();
                    break;
            }
        }

        to.Group(handler, new AttemptLimits(
            Math.Min(timeoutMs, TaskLimits.DurationMsMax),
            Math.Min(progressTimeoutMs, TaskLimits.DurationMsMax),
            cancelGraceMs == 0
                ? WorkerLimits.CommandKillGraceMs
                : (int)Math.Min(cancelGraceMs, TaskLimits.CancelGraceMsMax)));
        var second = new ProtoReader(bytes);
        while (second.NextField())
        {
            if (second.Field == GroupAssignmentsField)
            {
                ReadAssignment(second.ReadBytes(), to);
            }
            else
            {
                second.Skip();
            }
        }
    }

    private static void ReadAssignment(ReadOnlySpan<byte> bytes, IDispatchReader to)
    {
        ulong task = 0;
        uint attempt = 0;
        uint execution = 0;
        ReadOnlySpan<byte> payload = default;
        var reader = new ProtoReader(bytes);
        while (reader.NextField())
        {
            switch (reader.Field)
            {
                case 1:
                    task = reader.ReadFixed64();
                    break;
                case 2:
                    attempt = reader.ReadUInt32();
                    break;
                case 3:
                    execution = reader.ReadUInt32();
                    break;
                case 4:
                    payload = reader.ReadBytes();
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        to.Assignment(new(new TaskId(task), new Attempt(attempt)), execution, payload);
    }
}
