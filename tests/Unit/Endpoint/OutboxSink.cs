// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.IO;
using System.IO.Pipelines;
using System.Threading.Tasks;
using Grpc.Core;
using Muster.Server.Endpoint;

namespace Muster.Unit.Endpoint;

/// <summary>Stands for the connection under an outbox: takes writes at once, or holds each until it is
/// released.</summary>
internal sealed class OutboxSink : IOutboxSink
{
    private readonly object _gate = new();
    private readonly List<byte[]> _writes = [];
    private TaskCompletionSource<FlushResult>? _held;

    /// <summary>Writes are not kept: for measuring.</summary>
    public bool Forget { get; init; }

    public bool Hold { get; set; }

    public Exception? Failure { get; set; }

    public RpcException? Ended { get; private set; }

    public IReadOnlyList<byte[]> Writes
    {
        get
        {
            lock (_gate)
            {
                return [.. _writes];
            }
        }
    }

    public ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> framed)
    {
        if (Forget)
        {
            return default;
        }

        lock (_gate)
        {
            if (Failure is not null)
            {
                throw Failure;
            }

            _writes.Add(framed.ToArray());
            if (!Hold)
            {
                return default;
            }

            _held = new TaskCompletionSource<FlushResult>();
            return new ValueTask<FlushResult>(_held.Task);
        }
    }

    public void EndWith(RpcException why) => Ended = why;

    /// <summary>Lets the held write end.</summary>
    public void Release(bool completed = false)
    {
        TaskCompletionSource<FlushResult> held;
        lock (_gate)
        {
            held = _held ?? throw new InvalidOperationException("nothing is held");
            _held = null;
        }

        held.SetResult(new FlushResult(isCanceled: false, isCompleted: completed));
    }

    /// <summary>The messages in all writes, without their prefixes.</summary>
    public List<byte[]> Messages()
    {
        var all = new MemoryStream();
        foreach (var write in Writes)
        {
            all.Write(write);
        }

        var bytes = all.ToArray().AsSpan();
        var messages = new List<byte[]>();
        while (!bytes.IsEmpty)
        {
            var length = (int)BinaryPrimitives.ReadUInt32BigEndian(bytes[1..]);
            messages.Add(bytes.Slice(5, length).ToArray());
            bytes = bytes[(5 + length)..];
        }

        return messages;
    }
}
