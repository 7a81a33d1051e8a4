// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;
using Google.Protobuf;
using Muster.Transport.Wire;
using Muster.V1;

namespace Muster.Unit.Cell;

/// <summary>
/// A worker's two streams: whatever is assigned on the one has succeeded with 32 bytes on the other at once. Without
/// garbage.
/// </summary>
internal sealed class SteadyWorker
{
    public const ulong Nonce = 9;
    private const int KeysMax = 1 << 16;
    private const int ResultsOfBeatMax = 256;

    private readonly (ulong Task, uint Attempt)[] _keys = new (ulong, uint)[KeysMax];
    private readonly AutoResetEvent _changed = new(false);
    private readonly ManualResetEvent _stopped = new(false);
    private readonly ManualResetEvent _welcomed = new(false);
    private long _written;
    private ulong _workerId;

    public SteadyWorker() => (Beats, Assignments) = (new BeatCall(this), new DispatchCall(this));

    public StraightCall Beats { get; }

    public StraightCall Assignments { get; }

    public void Stop()
    {
        _stopped.Set();
        _changed.Set();
        _welcomed.Set();
    }

    private bool IsStopped => _stopped.WaitOne(0);

    private sealed class BeatCall(SteadyWorker worker) : StraightCall
    {
        private readonly ProtoWriter _request = new(64 * 1024);
        private readonly byte[] _output = new byte[32];
        private bool _greeted;
        private long _read;

        protected override ReadOnlySpan<byte> NextRequest()
        {
            if (!_greeted)
            {
                _greeted = true;
                var hello = new RegisterHello
                {
                    WireVersion = 1, Nonce = Nonce, Name = "steady", Slots = 256, Handlers = { "work" }, Host = "here",
                };
                return new HeartbeatRequest { Hello = hello }.ToByteArray();
            }

            if (Volatile.Read(ref worker._written) == _read)
            {
                // And beats all the same when there is nothing to say.
                worker._changed.WaitOne(TimeSpan.FromMilliseconds(200));
            }

            return worker.IsStopped ? default : Beat();
        }

        protected override void Answered(ReadOnlySpan<byte> message)
        {
            var reader = new ProtoReader(message);
            while (reader.NextField())
            {
                if (reader.Field == 1)
                {
                    var welcome = RegisterWelcome.Parser.ParseFrom(reader.ReadBytes());
                    worker._workerId = welcome.WorkerId;
                    worker._welcomed.Set();
                }
                else
                {
                    reader.Skip();
                }
            }
        }

        protected override void Wake() => worker.Stop();

        private ReadOnlySpan<byte> Beat()
        {
            _request.Clear();
            var end = Math.Min(Volatile.Read(ref worker._written), _read + ResultsOfBeatMax);
            for (; _read < end; _read++)
            {
                var (task, attempt) = worker._keys[_read % KeysMax];
                var begin = _request.Begin(2);
                _request.WriteFixed64(1, task);
                _request.WriteUInt32(2, attempt);
                _request.WriteUInt32(3, (uint)Muster.Outcome.Succeeded);
                _request.WriteBytes(4, _output);
                _request.WriteUInt64(6, 1);
                _request.WriteUInt64(7, 1);
                _request.WriteUInt64(9, (ulong)_read + 1);
                _request.End(begin);
            }

            _request.WriteUInt64(3, (ulong)_read);
            _request.WriteBool(7, false);
            return _request.Length > 0 ? _request.Written : [24, 0];
        }
    }

    private sealed class DispatchCall(SteadyWorker worker) : StraightCall
    {
        private bool _greeted;

        protected override ReadOnlySpan<byte> NextRequest()
        {
            if (_greeted)
            {
                worker._stopped.WaitOne();
                return default;
            }

            _greeted = true;
            worker._welcomed.WaitOne();
            var hello = new DispatchHello { WireVersion = 1, WorkerId = worker._workerId, Nonce = Nonce };
            return worker.IsStopped ? default : new DispatchRequest { Hello = hello }.ToByteArray();
        }

        protected override void Answered(ReadOnlySpan<byte> message)
        {
            var written = worker._written;
            var groups = new ProtoReader(message);
            while (groups.NextField())
            {
                if (groups.Field == 1)
                {
                    written = AddGroup(groups.ReadBytes(), written);
                }
                else
                {
                    groups.Skip();
                }
            }

            Volatile.Write(ref worker._written, written);
            worker._changed.Set();
        }

        protected override void Wake() => worker.Stop();

        private long AddGroup(ReadOnlySpan<byte> group, long written)
        {
            var reader = new ProtoReader(group);
            while (reader.NextField())
            {
                if (reader.Field != 3)
                {
                    reader.Skip();
                    continue;
                }

                var assignment = new ProtoReader(reader.ReadBytes());
                ref var key = ref worker._keys[written++ % KeysMax];
                while (assignment.NextField())
                {
                    switch (assignment.Field)
                    {
                        case 1:
                            key.Task = assignment.ReadFixed64();
                            break;
                        case 2:
                            key.Attempt = assignment.ReadUInt32();
                            break;
                        default:
                            assignment.Skip();
                            break;
                    }
                }
            }

            return written;
        }
    }
}
