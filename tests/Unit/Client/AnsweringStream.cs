// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;
using System.Threading.Channels;
using System.Threading.Tasks;
using Muster.Client.Sessions;
using Muster.Transport.Wire;

namespace Muster.Unit.Client;

/// <summary>
/// A Session stream whose server accepts every task and ends it with its own payload in the next message. It keeps
/// nothing, and reads and writes bytes by hand, so that millions pass in seconds.
/// </summary>
internal sealed class AnsweringStream : ISessionStream
{
    private const uint OutstandingMax = 100_000;

    private readonly Channel<RawMessage> _responses = Channel.CreateUnbounded<RawMessage>();
    private readonly ProtoWriter _accepted = new();
    private readonly ProtoWriter _results = new();
    private ulong[] _ids = new ulong[1_024];
    private ulong _decided;

    public Task WriteAsync(RawMessage message)
    {
        using (message)
        {
            var reader = new ProtoReader(message.Span);
            while (reader.NextField())
            {
                switch (reader.Field)
                {
                    case 1:
                        reader.Skip();
                        Welcome();
                        break;
                    case 2:
                        Take(reader.ReadBytes());
                        break;
                    default:
                        reader.Skip();
                        break;
                }
            }
        }

        return Task.CompletedTask;
    }

    public async Task<RawMessage?> ReadAsync(CancellationToken cancellationToken) =>
        await _responses.Reader.WaitToReadAsync(cancellationToken) && _responses.Reader.TryRead(out var message)
            ? message
            : null;

    public Task CompleteAsync()
    {
        _responses.Writer.TryComplete();
        return Task.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        _responses.Writer.TryComplete();
        return ValueTask.CompletedTask;
    }

    private void Welcome()
    {
        _accepted.Clear();
        var welcome = _accepted.Begin(1);
        _accepted.WriteUInt32(1, 1);
        _accepted.WriteFixed64(2, 5);
        _accepted.WriteUInt32(6, OutstandingMax);
        _accepted.WriteUInt32(7, 1);
        _accepted.End(welcome);
        Send(_accepted);
    }

    private void Take(ReadOnlySpan<byte> batch)
    {
        _results.Clear();
        var first = _decided + 1;
        var count = 0;
        var reader = new ProtoReader(batch);
        while (reader.NextField())
        {
            if (reader.Field == 3)
            {
                End(reader.ReadBytes(), count++);
            }
            else
            {
                reader.Skip();
            }
        }

        _accepted.Clear();
        var accepted = _accepted.Begin(2);
        _accepted.WriteUInt64(1, first);
        _accepted.WritePackedFixed64(2, _ids.AsSpan(0, count));
        _accepted.End(accepted);
        Send(_accepted);
        Send(_results);
    }

    private void End(ReadOnlySpan<byte> item, int index)
    {
        if (index == _ids.Length)
        {
            Array.Resize(ref _ids, 2 * index);
        }

        var id = ++_decided;
        _ids[index] = id;
        var result = _results.Begin(3);
        _results.WriteFixed64(1, id);
        _results.WriteUInt64(2, id);
        _results.WriteUInt32(3, (uint)Outcome.Succeeded);
        _results.WriteUInt32(4, 1);
        _results.WriteUInt32(5, 1);
        var reader = new ProtoReader(item);
        while (reader.NextField())
        {
            if (reader.Field == 1)
            {
                _results.WriteBytes(6, reader.ReadBytes());
            }
            else
            {
                reader.Skip();
            }
        }

        _results.End(result);
    }

    private void Send(ProtoWriter writer) => _responses.Writer.TryWrite(RawMessage.Copy(writer.Written));
}
