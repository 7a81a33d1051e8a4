// SPDX-License-Identifier: Apache-2.0
using System;
using System.Text;
using System.Threading;
using Muster.Transport.Wire;

namespace Muster.Unit.Cell;

/// <summary>A client's session that keeps a number of tasks in flight until a target is reached, without
/// garbage.</summary>
internal sealed class SteadyClient(Durability durability) : StraightCall
{
    private const int InFlightMax = 2_048;
    private const int BatchItems = 128;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private readonly ProtoWriter _request = new(64 * 1024);
    private readonly byte[] _payload = new byte[100];
    private readonly AutoResetEvent _changed = new(false);
    private readonly AutoResetEvent _reached = new(false);
    private bool _greeted;
    private ulong _confirmed;
    private long _submitted;
    private long _done;
    private long _bad;
    private long _target;
    private volatile bool _stops;

    /// <summary>Why a task was not accepted; null while all were.</summary>
    public string? Refusal { get; private set; }

    /// <summary>Results that were no successes.</summary>
    public long Bad => Volatile.Read(ref _bad);

    /// <summary>Runs so many more tasks to their results; false when they did not come in time.</summary>
    public bool Run(int tasks)
    {
        var target = Interlocked.Add(ref _target, tasks);
        _changed.Set();
        while (Volatile.Read(ref _done) < target)
        {
            if (Refusal is not null || !_reached.WaitOne(s_patience))
            {
                return false;
            }
        }

        return true;
    }

    public void Stop()
    {
        _stops = true;
        _changed.Set();
    }

    protected override ReadOnlySpan<byte> NextRequest()
    {
        while (!_stops && Ended is null)
        {
            if (!_greeted)
            {
                return Greet();
            }

            var done = Volatile.Read(ref _done);
            var room = Math.Min(Volatile.Read(ref _target) - _submitted, InFlightMax - (_submitted - done));
            if (room >= BatchItems || (room > 0 && _submitted == done))
            {
                return Batch((int)Math.Min(room, BatchItems), (ulong)done);
            }

            _changed.WaitOne(TimeSpan.FromSeconds(1));
        }

        return default;
    }

    protected override void Answered(ReadOnlySpan<byte> message)
    {
        var reader = new ProtoReader(message);
        var results = 0;
        while (reader.NextField())
        {
            if (reader.Field == 3)
            {
                results++;
                _bad += IsGood(reader.ReadBytes()) ? 0 : 1;
            }
            else if (reader.Field == 2)
            {
                NoteRefusal(reader.ReadBytes());
            }
            else
            {
                reader.Skip();
            }
        }

        if (results > 0)
        {
            var done = Interlocked.Add(ref _done, results);
            _changed.Set();
            if (done == Volatile.Read(ref _target))
            {
                _reached.Set();
            }
        }
    }

    protected override void Wake()
    {
        _changed.Set();
        _reached.Set();
    }

    private void NoteRefusal(ReadOnlySpan<byte> accepted)
    {
        var reader = new ProtoReader(accepted);
        while (reader.NextField())
        {
            if (reader.Field == 3)
            {
                Refusal ??= Encoding.UTF8.GetString(reader.ReadBytes());
                _reached.Set();
            }
            else
            {
                reader.Skip();
            }
        }
    }

    private static bool IsGood(ReadOnlySpan<byte> result)
    {
        var reader = new ProtoReader(result);
        while (reader.NextField())
        {
            if (reader.Field == 3)
            {
                return reader.ReadVarint() == (ulong)Outcome.Succeeded;
            }

            reader.Skip();
        }

        return false;
    }

    private ReadOnlySpan<byte> Greet()
    {
        _greeted = true;
        _request.Clear();
        var hello = _request.Begin(1);
        _request.WriteUInt32(1, 1);
        _request.WriteFixed64(2, 7);
        _request.WriteString(3, "steady");
        _request.End(hello);
        return _request.Written;
    }

    private ReadOnlySpan<byte> Batch(int items, ulong done)
    {
        _request.Clear();
        var batch = _request.Begin(2);
        _request.WriteUInt64(1, (ulong)_submitted + 1);
        var options = _request.Begin(2);
        _request.WriteBytes(1, "work"u8);
        _request.WriteUInt32(7, (uint)durability);
        _request.End(options);
        for (var item = 0; item < items; item++)
        {
            var begin = _request.Begin(3);
            _request.WriteBytes(1, _payload);
            _request.End(begin);
        }

        _request.End(batch);
        if (done > _confirmed)
        {
            _confirmed = done;
            _request.WriteUInt64(3, done);
        }

        _submitted += items;
        return _request.Written;
    }
}
