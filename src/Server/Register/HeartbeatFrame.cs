// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using Google.Protobuf;
using Muster.Core.Tasks;
using Muster.Register;
using Muster.Transport.Wire;
using Muster.V1;
using Outcome = Muster.Outcome;

namespace Muster.Server.RegisterHosting;

/// <summary>
/// One muster.v1.HeartbeatRequest, read outside the turn and found well-formed. One for each stream, used again and
/// again; errors and outputs stay where they are, in the bytes of the message.
/// </summary>
internal sealed class HeartbeatFrame
{
    /// <summary>Results or running tasks of one message. A longer list would only be there to take memory.</summary>
    public const int ItemsMax = 65_536;

    private const int Varint = 0;
    private const int Fixed64 = 1;
    private const int Length = 2;

    private readonly List<AttemptReport> _results = [];
    private readonly List<ulong> _running = [];
    private readonly List<ProgressReport> _progress = [];
    private LoadFacts _load;
    private bool _hasLoad;
    private ulong _endedTotal;
    private bool _isGoodbye;
    private bool _isDraining;

    public bool HasHello { get; private set; }

    /// <summary>Where the hello stands in the message.</summary>
    public Range Hello { get; private set; }

    /// <summary>The beat; good until the next message is read.</summary>
    public BeatFacts Beat(ReadOnlySpan<byte> message) => new()
    {
        Bytes = message,
        Results = CollectionsMarshal.AsSpan(_results),
        Running = CollectionsMarshal.AsSpan(_running),
        Progress = CollectionsMarshal.AsSpan(_progress),
        EndedTotal = _endedTotal,
        HasLoad = _hasLoad,
        Load = _load,
        IsGoodbye = _isGoodbye,
        IsDraining = _isDraining,
    };

    /// <summary>Reads a message. Throws <see cref="WireFormatException"/> when it is damaged.</summary>
    public void Read(ReadOnlySpan<byte> message)
    {
        HasHello = false;
        _results.Clear();
        _running.Clear();
        _progress.Clear();
        (_load, _hasLoad, _endedTotal, _isGoodbye, _isDraining) = (default, false, 0, false, false);
        var reader = new ProtoReader(message);
        while (reader.NextField())
        {
            switch (reader.Field, reader.WireType)
            {
                case (1, Length):
                    HasHello = true;
                    Hello = RangeOf(reader.ReadBytes(), reader.Position);
                    break;
                case (2, Length):
                    var result = reader.ReadBytes();
                    AddResult(result, reader.Position - result.Length);
                    break;
                case (3, Varint):
                    _endedTotal = reader.ReadVarint();
                    break;
                case (4, Length):
                    AddRunning(reader.ReadBytes());
                    break;
                case (4, Fixed64):
                    AddRunning(reader.ReadFixed64());
                    break;
                case (5, Length):
                    _load = ReadLoad(reader.ReadBytes());
                    _hasLoad = true;
                    break;
                case (6, Varint):
                    _isGoodbye = reader.ReadBool();
                    break;
                case (7, Varint):
                    _isDraining = reader.ReadBool();
                    break;
                case (8, Length):
                    var progress = reader.ReadBytes();
                    AddProgress(progress, reader.Position - progress.Length);
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
    }

    private static Range RangeOf(ReadOnlySpan<byte> part, int end) => (end - part.Length)..end;

    private void AddResult(ReadOnlySpan<byte> bytes, int start)
    {
        if (_results.Count == ItemsMax)
        {
            throw new WireFormatException($"the message has more than {ItemsMax} results");
        }

        var report = default(AttemptReport);
        ulong task = 0;
        uint attempt = 0;
        var reader = new ProtoReader(bytes);
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
                case (3, Varint):
                    report.Outcome = OutcomeOf(reader.ReadVarint());
                    break;
                case (4, Length):
                    report.OutputBytes = reader.ReadBytes().Length;
                    report.OutputStart = start + reader.Position - report.OutputBytes;
                    break;
                case (5, Length):
                    report.ErrorBytes = reader.ReadBytes().Length;
                    report.ErrorStart = start + reader.Position - report.ErrorBytes;
                    break;
                case (6, Varint):
                    report.WaitedUs = reader.ReadVarint();
                    break;
                case (7, Varint):
                    report.RanUs = reader.ReadVarint();
                    break;
                case (8, Varint):
                    report.HeldUs = reader.ReadVarint();
                    break;
                case (9, Varint):
                    report.Number = reader.ReadVarint();
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        if (report.Outcome == Outcome.None)
        {
            throw new WireFormatException("a result has no outcome");
        }

        Check(bytes, report, start);
        report.Key = new(new(task), new(attempt));
        _results.Add(report);
    }

    private void AddProgress(ReadOnlySpan<byte> bytes, int start)
    {
        if (_progress.Count == ItemsMax)
        {
            throw new WireFormatException($"the message has more than {ItemsMax} reports of progress");
        }

        var report = default(ProgressReport);
        ulong task = 0;
        uint attempt = 0;
        var reader = new ProtoReader(bytes);
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
                case (3, Length):
                    report.DetailsBytes = reader.ReadBytes().Length;
                    report.DetailsStart = start + reader.Position - report.DetailsBytes;
                    break;
                case (4, Varint):
                    report.AgeUs = reader.ReadVarint();
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        report.Key = new(new(task), new(attempt));
        _progress.Add(report);
    }

    // Clients get the error inside a message of ours, so it must be one itself; few results have any.
    private static void Check(ReadOnlySpan<byte> bytes, in AttemptReport report, int start)
    {
        if (report.ErrorBytes == 0)
        {
            return;
        }

        try
        {
            TaskError.Parser.ParseFrom(bytes.Slice(report.ErrorStart - start, report.ErrorBytes));
        }
        catch (InvalidProtocolBufferException problem)
        {
            throw new WireFormatException(problem.Message);
        }
    }

    private static Outcome OutcomeOf(ulong value) => (Outcome)value switch
    {
        Outcome.Succeeded when value == (ulong)Outcome.Succeeded => Outcome.Succeeded,
        Outcome.Failed when value == (ulong)Outcome.Failed => Outcome.Failed,
        Outcome.TimedOut when value == (ulong)Outcome.TimedOut => Outcome.TimedOut,
        _ => throw new WireFormatException($"a result has outcome {value}, which no worker can report"),
    };

    private void AddRunning(ReadOnlySpan<byte> packed)
    {
        var reader = new ProtoReader(packed);
        while (reader.Position < packed.Length)
        {
            AddRunning(reader.ReadFixed64());
        }
    }

    private void AddRunning(ulong id)
    {
        if (_running.Count == ItemsMax)
        {
            throw new WireFormatException($"the message lists more than {ItemsMax} running tasks");
        }

        _running.Add(id);
    }

    private static LoadFacts ReadLoad(ReadOnlySpan<byte> load)
    {
        uint cpu = 0;
        ulong memory = 0, pool = 0, pause = 0, clock = 0;
        var reader = new ProtoReader(load);
        while (reader.NextField())
        {
            switch (reader.Field, reader.WireType)
            {
                case (1, Varint):
                    cpu = reader.ReadUInt32();
                    break;
                case (2, Varint):
                    memory = reader.ReadVarint();
                    break;
                case (3, Varint):
                    pool = reader.ReadVarint();
                    break;
                case (4, Varint):
                    pause = reader.ReadVarint();
                    break;
                case (5, Fixed64):
                    clock = reader.ReadFixed64();
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return new(cpu, memory, pool, pause, (long)clock);
    }
}
