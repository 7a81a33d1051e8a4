// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using Muster.Arena.Heap;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Scheduler;
using Muster.Server.SchedulerHosting;
using Muster.Simulation.Kernel;
using Muster.Simulation.Network;
using Muster.Transport.Wire;

namespace Muster.Simulation.Roles;

/// <summary>The Scheduler's host: the real core, and the streams to the workers.</summary>
internal sealed class SchedulerProcess(World world, SimCell cell, int index)
    : RoleProcess(world, cell, Role.Scheduler, index), ISchedulerEffects
{
    private readonly ProtoWriter _writer = new();
    private readonly Dictionary<uint, DispatchPeer> _streams = [];
    private SchedulerCore? _core;
    private DispatchPeer? _opening;
    private long _streamNumbers;

    public SchedulerCore Core => _core!;

    public ILinkEnd AcceptDispatch(SimLink link) => new DispatchPeer(this, link, ++_streamNumbers);

    /// <summary>Inside a turn.</summary>
    public Fault Open(DispatchPeer peer, in DispatchFacts facts)
    {
        _opening = peer;
        peer.IsOpen = true;
        var fault = Core.WorkerDispatchOpened(peer.Number, facts, out var row);
        _opening = null;
        if (!fault.IsNone)
        {
            peer.IsOpen = false;
            return fault;
        }

        peer.Row = row;
        if (peer.IsOpen)
        {
            _streams[row] = peer;
        }

        return Fault.None;
    }

    /// <summary>Inside a turn.</summary>
    public void Close(DispatchPeer peer)
    {
        if (!peer.IsOpen)
        {
            return;
        }

        peer.IsOpen = false;
        Core.WorkerDispatchClosed(peer.Row, peer.Number);
        if (_streams.TryGetValue(peer.Row, out var known) && known == peer)
        {
            _streams.Remove(peer.Row);
        }
    }

    public void RunCore() => Core.Run(NowMs, NowUnixUs);

    public long Now => NowMs;

    public override void CheckInvariants() => _core?.CheckInvariants();

    SendOutcome ISchedulerEffects.SendAssignments(
        uint row, in AssignmentTerms terms, ReadOnlySpan<TakenTask> tasks)
    {
        if ((_opening ?? _streams.GetValueOrDefault(row)) is not { } peer)
        {
            return new(0, 0);
        }

        var (handled, sent) = (0, 0);
        while (handled < tasks.Length && peer.HasRoom)
        {
            _writer.Clear();
            var group = _writer.Begin(1);
            SchedulerHost.WriteTerms(_writer, Cell.Arena, terms);
            var end = Math.Min(tasks.Length, handled + Cell.Plan.ResultsPerMessage);
            var encoded = 0;
            for (; handled < end; handled++)
            {
                encoded += TryEncode(tasks[handled]) ? 1 : 0;
            }

            _writer.End(group);
            sent += encoded;
            if (encoded > 0)
            {
                peer.Send(_writer);
            }
        }

        return new(handled, sent);
    }

    void ISchedulerEffects.SendCancels(uint row, ReadOnlySpan<AttemptKey> attempts)
    {
        _writer.Clear();
        foreach (var key in attempts)
        {
            var begin = _writer.Begin(2);
            _writer.WriteFixed64(1, key.Task.Value);
            _writer.WriteUInt32(2, key.Attempt.Value);
            _writer.End(begin);
        }

        (_opening ?? _streams.GetValueOrDefault(row))?.Send(_writer);
    }

    void ISchedulerEffects.CloseStream(uint row, long stream, Fault fault)
    {
        var closing = _opening?.Number == stream ? _opening : _streams.GetValueOrDefault(row);
        if (closing is null || closing.Number != stream)
        {
            return;
        }

        closing.IsOpen = false;
        closing.CloseAfterTurn(fault);
        if (_streams.GetValueOrDefault(row) == closing)
        {
            _streams.Remove(row);
        }
    }

    protected override void TakeOver()
    {
        _core = new SchedulerCore(Cell.Arena, this, Cell.Plan.Scheduler);
        _core.TakeOver();
    }

    protected override void DropCore()
    {
        _core = null;
        _opening = null;
        _streams.Clear();
    }

    protected override long RunThread()
    {
        RunCore();
        return Core.NextDueMs - NowMs;
    }

    private bool TryEncode(TakenTask task)
    {
        ref var slot = ref Cell.Arena.Tasks[task.Slot];
        if (!IsStill(task))
        {
            return false;
        }

        var begin = _writer.Begin(3);
        _writer.WriteFixed64(1, Cell.Arena.Tasks.IdOf(task.Slot).Value);
        _writer.WriteUInt32(2, task.Word.Attempt.Value);
        _writer.WriteUInt32(3, slot.Executions);
        _writer.WriteBytes(4, Cell.Arena.Payloads.Bytes(slot.PayloadBlock, (int)slot.PayloadBytes));
        _writer.End(begin);
        return true;
    }

    private bool IsStill(TakenTask task)
    {
        var word = Cell.Arena.Tasks.Read(task.Slot);
        return word.State is TaskState.Assigned or TaskState.Running
            && word.Attempt == task.Word.Attempt
            && word.GenerationLow == task.Word.GenerationLow;
    }
}
