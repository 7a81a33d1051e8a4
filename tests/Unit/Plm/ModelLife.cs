// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using Muster.Arena;
using Muster.Arena.Heap;
using Muster.Arena.Tables;
using Muster.Core.Tasks;
using Muster.Plm;
using Xunit;

namespace Muster.Unit.Plm;

/// <summary>
/// One random life of a cell: clients that come and go, workers that fail and vanish, a PLM that is killed between and
/// inside its turns. Each step is followed by a check of every invariant.
/// </summary>
internal sealed class ModelLife : IDisposable
{
    private const uint Rows = 2;

    private readonly Random _random;
    private readonly PlmCell _cell;
    private readonly ModelClient[] _clients = [new(11), new(22), new(33)];
    private readonly List<(TakenTask Task, uint Row)> _running = [];
    private readonly HashSet<ulong> _ids = [];
    private readonly HashSet<ulong> _loose = [];
    private readonly HashSet<ulong> _cancelled = [];
    private readonly Dictionary<string, ulong> _keyed = [];
    private readonly bool[] _fenced = new bool[Rows];
    private int _token;

    public ModelLife(int seed, bool isSmall = false)
    {
        _random = new Random(seed);
        _cell = isSmall
            ? new PlmCell(new PlmOptions { OutstandingMax = 300, HoldFrom = 24 }, spill: new FakeSpill())
            : new PlmCell(new PlmOptions { OutstandingMax = 300 });
    }

    /// <summary>Extents that went to disk so far.</summary>
    public long Spilled => _cell.Spill?.Written ?? 0;

    public void Step()
    {
        if (_cell.Spill is { } spill && _random.Next(2) == 0)
        {
            _cell.Turn(core => spill.Work(core, _random.Next(4)));
        }

        switch (_random.Next(18))
        {
            case 0 or 1 or 2:
                SubmitSome(PickOpen());
                break;
            case 3:
                SubmitLoose();
                break;
            case 4 or 5:
                Assign();
                break;
            case 6 or 7 or 8:
                ReportSome();
                break;
            case 9:
                ReadAndConfirm(PickOpen());
                break;
            case 10:
                CancelOne();
                break;
            case 11:
                LoseOrRevive();
                break;
            case 12:
                CutOrOpen(_clients[_random.Next(_clients.Length)]);
                break;
            case 13:
                _cell.NowMs += _random.Next(120);
                _cell.DrainOthers();
                break;
            case 14:
                Crash();
                break;
            case 15:
                SubmitKeyed(_random.Next(2) == 0 ? PickOpen() : null);
                break;
            default:
                Turn();
                break;
        }

        _cell.Core.CheckInvariants();
    }

    /// <summary>Everything heals, and every task that was accepted comes to its one end.</summary>
    public void Finish()
    {
        for (uint row = 0; row < Rows; row++)
        {
            Turn();
            Revive(row);
        }

        for (var round = 0; _cell.Arena.Counter(CellCounter.TasksNow) > 0; round++)
        {
            Assert.True(round < 200, "tasks are left that do not end");
            if (_cell.Spill is { } spill)
            {
                _cell.Turn(core => spill.Work(core));
            }

            _cell.NowMs += 100;
            Assign(1_024);
            while (_running.Count > 0)
            {
                ReportSome();
            }

            Turn();
            foreach (var client in _clients)
            {
                if (client.Session is null)
                {
                    CutOrOpen(client);
                }

                ReadAndConfirm(client, all: true);
            }

            _cell.Turn(core => core.ReleaseTasks([.. _loose]));
            _cell.DrainOthers();
            _cell.Core.CheckInvariants();
        }

        Assert.All(_clients, client => Assert.Equal(client.Accepted.Count, client.Ended));
        Assert.All(_keyed.Keys, key => SubmitKeyed(null, key));
        Assert.Equal(0ul, _cell.Arena.Counter(CellCounter.TasksNow));
        Assert.Equal(0, _cell.Arena.Payloads.UsedBytes);
        Assert.Equal(0ul, _cell.Arena.Ready.Count);
        Assert.Equal(0, _cell.Spill?.Files ?? 0);
        _cell.Arena.Ready.CheckInvariants();
    }

    public void Dispose() => _cell.Dispose();

    private void Turn()
    {
        _cell.Turn();
        foreach (var client in _clients)
        {
            // A client may read at any time; not reading is what Cut is for.
            if (_random.Next(2) == 0)
            {
                client.Read();
            }
        }
    }

    private TaskSpec Spec() => _cell.Spec((ref TaskOptionsView view) =>
    {
        view.HasPriority = true;
        view.Priority = _random.Next(8);
        view.AttemptsMax = (uint)_random.Next(1, 4);
        view.RetryDelayMs = (ulong)_random.Next(2) * 50;
        view.ExpiresAfterMs = (ulong)(_random.Next(4) == 0 ? 200 : 0);
        view.RetentionMs = (ulong)_random.Next(100, 1_000_000);
    });

    private void SubmitSome(ModelClient? client)
    {
        if (client is null)
        {
            return;
        }

        var first = client.Session!.DecidedRef + 1;
        var tokens = Tokens(_random.Next(1, 40));
        for (var item = 0; item < tokens.Length; item++)
        {
            client.Sent(first + (ulong)item, tokens[item]);
        }

        var spec = Spec();
        if (_random.Next(12) == 0)
        {
            // Killed somewhere inside the batch, or after it and before the push.
            var written = _random.Next(tokens.Length + 1);
            _cell.Core.BeginTurn(_cell.Now);
            Assert.True(_cell.Core.BeginBatch(client.Session, client.Stream, first, tokens.Length, spec).IsNone);
            foreach (var token in tokens.Take(written))
            {
                _cell.Core.AddItem(Encoding.UTF8.GetBytes(token));
            }

            if (written == tokens.Length)
            {
                _cell.Core.EndBatch();
            }

            Restart();
            return;
        }

        var (ids, _) = _cell.Submit(client.Session, client.Stream, spec, tokens);
        NoteIds(ids);
        if (_random.Next(10) == 0)
        {
            // The answer is lost on its way.
            Cut(client);
            return;
        }

        for (var item = 0; item < ids.Length; item++)
        {
            client.Answered(first + (ulong)item, ids[item]);
        }
    }

    private void SubmitLoose()
    {
        var (ids, _) = _cell.Submit(null, null, Spec(), Tokens(_random.Next(1, 5)));
        NoteIds(ids);
        _loose.UnionWith(ids.Where(id => id != 0));
    }

    // Of few keys, by anyone: whoever repeats one gets the task that the first one got, if the PLM dies in between too.
    private void SubmitKeyed(ModelClient? client, string? key = null)
    {
        key ??= $"key {_random.Next(_keyed.Count + 2)}";
        var token = "of " + key;
        var first = (client?.Session!.DecidedRef ?? 0) + 1;
        client?.Sent(first, token);
        if (_random.Next(6) == 0)
        {
            _cell.Core.BeginTurn(_cell.Now);
            Assert.True(_cell.Core.BeginBatch(client?.Session, client?.Stream, first, 1, Spec()).IsNone);
            _cell.Core.AddItem(Encoding.UTF8.GetBytes(token), Encoding.UTF8.GetBytes(key));
            Restart();
            client = null;
            first = 1;
        }

        var (ids, _, duplicates, _) = _cell.SubmitKeyed(client?.Session, client?.Stream, Spec(), (token, key));
        client?.Answered(first, duplicates.Length == 0 ? ids[0] : 0);
        if (ids[0] == 0)
        {
            // There was no room for a new one.
            Assert.DoesNotContain(key, _keyed);
            return;
        }

        if (duplicates.Length == 0)
        {
            NoteIds(ids);
        }

        Assert.True(_keyed.TryAdd(key, ids[0]) || (_keyed[key] == ids[0] && duplicates.Length == 1));

        // Also those of sessions, which stay here when they were confirmed.
        _loose.Add(ids[0]);
    }

    private string[] Tokens(int count) => [.. Enumerable.Range(0, count).Select(_ => $"t{_token++}")];

    private void NoteIds(ulong[] ids) => Assert.All(ids.Where(id => id != 0), id => Assert.True(_ids.Add(id)));

    private void Assign(int max = 40)
    {
        var row = (uint)_random.Next((int)Rows);
        if (!_fenced[row])
        {
            _running.AddRange(_cell.Assign(_random.Next(max + 1), row).Select(task => (task, row)));
        }
    }

    private void ReportSome()
    {
        for (var count = _random.Next(1, 30); count > 0 && _running.Count > 0; count--)
        {
            var at = _random.Next(_running.Count);
            var (task, _) = _running[at];
            _running.RemoveAt(at);
            var outcome = _random.Next(5) switch
            {
                0 => Outcome.Failed,
                1 => Outcome.TimedOut,
                _ => Outcome.Succeeded,
            };
            ref var slot = ref _cell.Arena.Tasks[task.Slot];
            var isCurrent = _cell.Arena.Tasks.Read(task.Slot).GenerationLow == task.Word.GenerationLow;
            var token = isCurrent ? Payload(in slot) : string.Empty;
            var id = _cell.Arena.Tasks.IdOf(task.Slot).Value;
            var taken = outcome == Outcome.Succeeded
                ? _cell.Report(task, outcome, "out:" + token)
                : _cell.Report(task, outcome, error: "boom:" + token);
            Assert.False(taken && isCurrent && _cancelled.Contains(id), "a result after the cancellation");
        }
    }

    private string Payload(in TaskSlot slot) =>
        Encoding.UTF8.GetString(_cell.Arena.Payloads.Bytes(slot.PayloadBlock, (int)slot.PayloadBytes));

    private void ReadAndConfirm(ModelClient? client, bool all = false)
    {
        if (client?.Session is null)
        {
            return;
        }

        client.Read();
        var total = all ? client.ReadTotal : (ulong)_random.NextInt64((long)client.ReadTotal + 1);
        total = Math.Max(total, client.Session.ConfirmedTotal);
        Assert.True(_cell.Confirm(client.Session, client.Stream!, total).IsNone);
        client.ConfirmedUpTo(total);
    }

    private void CancelOne()
    {
        if (_ids.Count == 0)
        {
            return;
        }

        var id = _ids.ElementAt(_random.Next(_ids.Count));
        if (_cell.Cancel(id) == CancelAnswer.Cancelled)
        {
            _cancelled.Add(id);
        }
    }

    private void LoseOrRevive()
    {
        var row = (uint)_random.Next((int)Rows);
        if (_fenced[row])
        {
            // The Register gives a row to another worker only long after the PLM was told.
            Turn();
            Revive(row);
            return;
        }

        _fenced[row] = true;
        _running.RemoveAll(entry => entry.Row == row);
        _cell.LoseWorker(row);
    }

    private void Revive(uint row)
    {
        _fenced[row] = false;
        _cell.Arena.Workers[row].Health = (uint)WorkerHealth.Alive;
    }

    private void CutOrOpen(ModelClient client)
    {
        if (client.Session is not null)
        {
            Cut(client);
            return;
        }

        var stream = new FakeStream(_cell.Arena) { Room = _random.Next(3) == 0 ? _random.Next(20) : int.MaxValue };
        var first = client.Unresolved.Count == 0 ? 0 : client.Unresolved.Min();
        var last = client.Unresolved.Count == 0 ? 0 : client.Unresolved.Max();
        var session = _cell.Open(client.Id, stream, out var known, first, last, (uint)_random.Next(3) * 10);
        client.Opened(session, stream, known);
        foreach (var entry in known)
        {
            _ids.Add(entry.Id.Value);
        }

        if (stream.Room != int.MaxValue)
        {
            stream.Room = int.MaxValue;
            _cell.Turn(core => core.ResumeDelivery(session, stream));
        }
    }

    // The server learns of it at once, later, or only by the next stream.
    private void Cut(ModelClient client)
    {
        if (_random.Next(2) == 0)
        {
            var (session, stream) = (client.Session!, client.Stream!);
            _cell.Turn(core => core.LeaveSession(session, stream));
        }

        client.Cut();
    }

    private void Crash()
    {
        switch (_random.Next(3))
        {
            case 0:
                // Inside a turn: judged and not pushed, or timers run too and nothing delivered.
                _cell.Core.BeginTurn(_cell.Now);
                _cell.Core.DrainFinished();
                if (_random.Next(2) == 0)
                {
                    _cell.Core.RunTimers();
                }

                break;
            case 1 when PickOpen() is { Session: { } session, Stream: { } stream }:
                // Confirmed, but nothing after it in the turn; the client does not know whether it counted.
                _cell.Core.BeginTurn(_cell.Now);
                _cell.Core.Confirm(session, stream, session.ConfirmedTotal);
                break;
            default:
                break;
        }

        Restart();
    }

    private void Restart()
    {
        foreach (var client in _clients)
        {
            client.Cut();
        }

        _cell.Spill?.Die(_random);
        _cell.Restart();
    }

    private ModelClient? PickOpen()
    {
        var open = _clients.Where(client => client.Session is not null).ToArray();
        return open.Length == 0 ? null : open[_random.Next(open.Length)];
    }
}
