// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Text;
using Muster.Core;
using Muster.Transport.Wire;

namespace Muster.Client.Sessions;

/// <summary>What the server's messages do to the ledger.</summary>
internal sealed partial class SessionLedger
{
    private readonly List<ItemRefusal> _refusals = [];
    private readonly List<ulong> _duplicates = [];
    private readonly ByteChunks _outputs = new();

    private readonly record struct ItemRefusal(uint Index, string Code, string Message, uint RetryAfterMs);

    /// <summary>Takes one SessionResponse that is not the welcome.</summary>
    public void Receive(ReadOnlySpan<byte> message, long nowMs, SessionEvents events)
    {
        var reader = new ProtoReader(message);
        while (reader.NextField())
        {
            switch (reader.Field)
            {
                case 2:
                    ReceiveAccepted(reader.ReadBytes(), nowMs, events);
                    break;
                case 3:
                    ReceiveResult(reader.ReadBytes(), events);
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
    }

    private void ReceiveAccepted(ReadOnlySpan<byte> message, long nowMs, SessionEvents events)
    {
        ulong firstRef = 0;
        _ids.Clear();
        _refusals.Clear();
        _duplicates.Clear();
        var reader = new ProtoReader(message);
        while (reader.NextField())
        {
            switch (reader.Field)
            {
                case 1:
                    firstRef = reader.ReadVarint();
                    break;
                case 2:
                    ReadFixed64s(ref reader, _ids);
                    break;
                case 3:
                    _refusals.Add(ReadRefusal(reader.ReadBytes()));
                    break;
                case 4:
                    ReadVarints(ref reader, _duplicates);
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        _decidedRef = Math.Max(_decidedRef, firstRef + (ulong)_ids.Count - 1);
        var accepted = 0;
        for (var index = 0; index < _ids.Count; index++)
        {
            if (!_open.TryGet(firstRef + (ulong)index, out var task) || task.Stage != PendingStage.Sent)
            {
                continue;
            }

            if (_ids[index] != 0)
            {
                TakeAccepted(task, new(_ids[index]), events);
                accepted++;
            }
        }

        foreach (var index in _duplicates)
        {
            AwaitElsewhere(firstRef + index, events);
        }

        var isFull = false;
        foreach (var refusal in _refusals)
        {
            isFull |= ReceiveRefusal(firstRef + refusal.Index, refusal, events);
        }

        if (isFull)
        {
            Hold(nowMs, accepted > 0);
        }
        else if (_ids.Count > 0)
        {
            _isProbing = false;
            _refusalsInARow = 0;
        }
    }

    /// <summary>Whether the task's result has to be fetched, and was not yet.</summary>
    public bool IsElsewhere(PendingTask task)
    {
        if (task.IsAbandoned)
        {
            _elsewhere.Remove(task);
        }

        return _elsewhere.Contains(task);
    }

    /// <summary>Takes the encoded TaskResult of a task that is answered elsewhere; one that failed meanwhile stays so.
    /// </summary>
    /// <exception cref="WireFormatException">The message is damaged.</exception>
    public void ReceiveElsewhere(PendingTask task, ReadOnlySpan<byte> result, SessionEvents events)
    {
        if (_elsewhere.Contains(task))
        {
            ReadResult(result, task);
            _elsewhere.Remove(task);
            task.Stage = PendingStage.Ended;
            events.Ended.Add(task);
        }
    }

    /// <summary>The result of a task that is answered elsewhere cannot be had.</summary>
    public void RefuseElsewhere(PendingTask task, MusterException refusal, SessionEvents events)
    {
        if (_elsewhere.Remove(task))
        {
            Refuse(task, refusal, events);
        }
    }

    /// <summary>The ref belongs to no task: what it was used for is the task of an earlier submission.</summary>
    private void AwaitElsewhere(ulong itemRef, SessionEvents events)
    {
        if (_open.TryGet(itemRef, out var task) && task.Stage == PendingStage.Accepted)
        {
            _open.Remove(itemRef, out _);
            _elsewhere.Add(task);
            events.Duplicates.Add(task);
        }
    }

    /// <summary>True when the refusal asks to wait and try again.</summary>
    private bool ReceiveRefusal(ulong itemRef, ItemRefusal refusal, SessionEvents events)
    {
        if (!_open.Remove(itemRef, out var task))
        {
            return false;
        }

        if (task.Stage == PendingStage.Sent)
        {
            _unresolved--;
        }

        var isFull = refusal.RetryAfterMs > 0
            || refusal.Code == FaultCodes.Name(FaultCode.ArenaFull)
            || refusal.Code == FaultCodes.Name(FaultCode.OutstandingLimit);
        if (isFull)
        {
            task.Stage = PendingStage.Queued;
            _again.Enqueue(task);
        }
        else
        {
            Refuse(task, new MusterException(refusal.Code, refusal.Message), events);
        }

        return isFull;
    }

    /// <summary>
    /// Waits as long as the server said, longer with each refusal that took nothing, spread over half as much again so
    /// that clients that were refused together do not come back together.
    /// </summary>
    private void Hold(long nowMs, bool someAccepted)
    {
        uint delay = 0;
        foreach (var refusal in _refusals)
        {
            delay = Math.Max(delay, refusal.RetryAfterMs);
        }

        _refusalsInARow = someAccepted ? 0 : Math.Min(_refusalsInARow + 1, 6);
        long wait = delay == 0 ? SessionLimits.RetryAfterMsDefault : delay;
        wait <<= Math.Max(0, _refusalsInARow - 1);
        wait += jitter.NextInt64((wait / 2) + 1);
        HoldUntilMs = Math.Max(HoldUntilMs, nowMs + Math.Min(wait, SessionLimits.HoldMsMax));
        _isProbing = true;
    }

    private void ReceiveResult(ReadOnlySpan<byte> message, SessionEvents events)
    {
        // Counted also when nobody waits for it: the server sends it until it is confirmed.
        _received++;
        var (id, itemRef) = ReadKey(message);
        if (!_open.TryGet(itemRef, out var task) || (task.Stage == PendingStage.Accepted && task.Id != id))
        {
            DroppedCount++;
            return;
        }

        if (task.Stage == PendingStage.Sent)
        {
            TakeAccepted(task, id, events);
        }

        // Read before it is taken out: a damaged result breaks the stream, and the next one brings it again.
        ReadResult(message, task);
        _open.Remove(itemRef, out _);
        task.Stage = PendingStage.Ended;
        events.Ended.Add(task);
    }

    private void TakeAccepted(PendingTask task, TaskId id, SessionEvents events)
    {
        _unresolved--;
        task.Accept(id);
        events.Accepted.Add(task);
        if (task.IsCancelWanted)
        {
            _cancels.Add(id.Value);
        }
    }

    private static (TaskId Id, ulong Ref) ReadKey(ReadOnlySpan<byte> message)
    {
        ulong id = 0;
        ulong itemRef = 0;
        var reader = new ProtoReader(message);
        while ((id == 0 || itemRef == 0) && reader.NextField())
        {
            switch (reader.Field)
            {
                case 1:
                    id = reader.ReadFixed64();
                    break;
                case 2:
                    itemRef = reader.ReadVarint();
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return (new(id), itemRef);
    }

    private void ReadResult(ReadOnlySpan<byte> message, PendingTask task)
    {
        task.Attempts = null;
        var reader = new ProtoReader(message);
        while (reader.NextField())
        {
            switch (reader.Field)
            {
                case 3:
                    task.Outcome = (Outcome)reader.ReadVarint();
                    break;
                case 4:
                    task.Attempt = reader.ReadUInt32();
                    break;
                case 5:
                    task.Executions = reader.ReadUInt32();
                    break;
                case 6:
                    task.Output = _outputs.Copy(reader.ReadBytes());
                    break;
                case 7:
                    task.Error = ReadError(reader.ReadBytes());
                    break;
                case 8:
                    ReadTimings(reader.ReadBytes(), task);
                    break;
                case 9:
                    (task.Attempts ??= []).Add(FailedAttempts.Read(reader.ReadBytes()));
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
    }

    private static PendingError ReadError(ReadOnlySpan<byte> message)
    {
        var (code, text, type, stack) = ("", "", "", "");
        var reader = new ProtoReader(message);
        while (reader.NextField())
        {
            switch (reader.Field)
            {
                case 1:
                    code = Encoding.UTF8.GetString(reader.ReadBytes());
                    break;
                case 2:
                    text = Encoding.UTF8.GetString(reader.ReadBytes());
                    break;
                case 3:
                    type = Encoding.UTF8.GetString(reader.ReadBytes());
                    break;
                case 4:
                    stack = Encoding.UTF8.GetString(reader.ReadBytes());
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return new(code, text, type, stack);
    }

    private static void ReadTimings(ReadOnlySpan<byte> message, PendingTask task)
    {
        ulong started = 0;
        ulong finished = 0;
        var reader = new ProtoReader(message);
        while (reader.NextField())
        {
            switch (reader.Field)
            {
                case 6:
                    started = reader.ReadVarint();
                    break;
                case 7:
                    finished = reader.ReadVarint();
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        task.RanUs = finished > started ? (long)(finished - started) : 0;
    }

    private static ItemRefusal ReadRefusal(ReadOnlySpan<byte> message)
    {
        var refusal = new ItemRefusal(0, "", "", 0);
        var reader = new ProtoReader(message);
        while (reader.NextField())
        {
            switch (reader.Field)
            {
                case 1:
                    refusal = refusal with { Index = reader.ReadUInt32() };
                    break;
                case 2:
                    refusal = refusal with { Code = Encoding.UTF8.GetString(reader.ReadBytes()) };
                    break;
                case 3:
                    refusal = refusal with { Message = Encoding.UTF8.GetString(reader.ReadBytes()) };
                    break;
                case 4:
                    refusal = refusal with { RetryAfterMs = reader.ReadUInt32() };
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return refusal.Code.Length > 0 ? refusal : refusal with { Code = FaultCodes.Name(FaultCode.InvalidArgument) };
    }

    /// <summary>A repeated fixed64 field in either of the two forms that protobuf allows.</summary>
    private static void ReadFixed64s(ref ProtoReader reader, List<ulong> values)
    {
        if (reader.WireType == 1)
        {
            values.Add(reader.ReadFixed64());
            return;
        }

        var packed = reader.ReadBytes();
        for (; packed.Length >= 8; packed = packed[8..])
        {
            values.Add(System.Buffers.Binary.BinaryPrimitives.ReadUInt64LittleEndian(packed));
        }

        if (packed.Length > 0)
        {
            throw new WireFormatException("a list of 8-byte numbers ends inside one");
        }
    }

    /// <summary>The same for varints.</summary>
    private static void ReadVarints(ref ProtoReader reader, List<ulong> values)
    {
        if (reader.WireType == 0)
        {
            values.Add(reader.ReadVarint());
            return;
        }

        // A packed list is a run of varints; the reader reads them as fields of their own would be read.
        var packed = reader.ReadBytes();
        var position = 0;
        while (position < packed.Length)
        {
            var inner = new ProtoReader(packed[position..]);
            values.Add(inner.ReadVarint());
            position += inner.Position;
        }
    }
}
