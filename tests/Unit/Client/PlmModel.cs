// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using Google.Protobuf;
using Muster.V1;
using WireOutcome = Muster.V1.Outcome;

namespace Muster.Unit.Client;

/// <summary>
/// The server's half of one session as the contract says it, in memory and one thread, on the generated message types:
/// so the client's hand-written codec is read by another one. Each request returns what is sent back.
/// </summary>
internal sealed class PlmModel(ulong cellId = 77)
{
    private readonly SortedDictionary<ulong, ModelTask> _tasks = [];
    private readonly Dictionary<string, ulong> _keys = [];
    private readonly Queue<ulong> _sent = new();
    private ulong _confirmed;
    private ulong _nextId = 1;

    private sealed record ModelTask(ulong Id, byte[] Payload)
    {
        public TaskResult? Result { get; set; }
    }

    public ulong DecidedRef { get; private set; }

    public uint OutstandingMax { get; init; } = 1_000;

    /// <summary>Of the next items, these are refused for want of room.</summary>
    public Func<int, bool> IsFull { get; set; } = _ => false;

    /// <summary>How often each payload was accepted: more than once is a duplicate.</summary>
    public Dictionary<byte, int> AcceptedCounts { get; } = [];

    public int HeldCount => _tasks.Count;

    public SessionResponse Hello(SessionHello hello)
    {
        _sent.Clear();
        _confirmed = 0;
        var welcome = new SessionWelcome
        {
            WireVersion = 1,
            CellId = cellId,
            DecidedRef = DecidedRef,
            OutstandingMax = OutstandingMax,
        };
        foreach (var (itemRef, task) in _tasks)
        {
            if (hello.UnresolvedFirst > 0 && itemRef >= hello.UnresolvedFirst && itemRef <= hello.UnresolvedLast)
            {
                welcome.KnownRefs.Add(itemRef);
                welcome.KnownTaskIds.Add(task.Id);
            }
        }

        return new() { Welcome = welcome };
    }

    /// <summary>Results that a new stream repeats.</summary>
    public SessionResponse Repeat() =>
        Push(_tasks.Where(pair => pair.Value.Result is not null).Select(pair => pair.Key));

    public SessionResponse Take(SessionRequest request)
    {
        while (_confirmed < request.ConfirmedTotal)
        {
            _tasks.Remove(_sent.Dequeue());
            _confirmed++;
        }

        var cancelled = _tasks
            .Where(pair => request.Cancel.Contains(pair.Value.Id) && pair.Value.Result is null)
            .Select(pair => pair.Key)
            .ToList();
        foreach (var itemRef in cancelled)
        {
            _tasks[itemRef].Result = Result(itemRef, _tasks[itemRef], WireOutcome.Cancelled);
        }

        var response = Push(cancelled);
        if (request.Submit is not null)
        {
            response.Accepted.Add(Accept(request.Submit));
        }

        return response;
    }

    /// <summary>Ends up to count tasks, the youngest first, so that order is never what the client hopes for.</summary>
    public SessionResponse Finish(int count)
    {
        var waiting = _tasks.Where(pair => pair.Value.Result is null).Select(pair => pair.Key);
        var ended = waiting.Reverse().Take(count).ToList();
        foreach (var itemRef in ended)
        {
            _tasks[itemRef].Result = Result(itemRef, _tasks[itemRef], WireOutcome.Succeeded);
        }

        return Push(ended);
    }

    private Accepted Accept(SubmitBatch batch)
    {
        if (batch.FirstRef != DecidedRef + 1)
        {
            throw new InvalidOperationException($"REF_OUT_OF_ORDER: {batch.FirstRef} after {DecidedRef}");
        }

        var answer = new Accepted { FirstRef = batch.FirstRef };
        for (var index = 0; index < batch.Items.Count; index++)
        {
            DecidedRef++;
            if (IsFull(index))
            {
                answer.TaskIds.Add(0);
                answer.Errors.Add(new ItemError { Index = (uint)index, Code = "ARENA_FULL", RetryAfterMs = 20 });
                continue;
            }

            var payload = batch.Items[index].Payload.ToByteArray();
            var key = batch.Items[index].IdempotencyKey;
            if (_keys.TryGetValue(key, out var first))
            {
                answer.TaskIds.Add(first);
                answer.Duplicates.Add((uint)index);
                continue;
            }

            var id = (_nextId++ << 28) | 5;
            if (key.Length > 0)
            {
                _keys.Add(key, id);
            }

            _tasks.Add(DecidedRef, new(id, payload));
            AcceptedCounts[payload[0]] = AcceptedCounts.GetValueOrDefault(payload[0]) + 1;
            answer.TaskIds.Add(id);
        }

        return answer;
    }

    private SessionResponse Push(IEnumerable<ulong> refs)
    {
        var response = new SessionResponse();
        foreach (var itemRef in refs)
        {
            _sent.Enqueue(itemRef);
            response.Results.Add(_tasks[itemRef].Result);
        }

        return response;
    }

    public static TaskResult Answer(TaskId id, byte[] output) =>
        Result(1, new ModelTask(id.Value, output), WireOutcome.Succeeded);

    private static TaskResult Result(ulong itemRef, ModelTask task, WireOutcome outcome) => new()
    {
        TaskId = task.Id,
        Ref = itemRef,
        Outcome = outcome,
        Attempt = 4097,
        Executions = 1,
        Output = ByteString.CopyFrom(task.Payload),
        Error = outcome == WireOutcome.Succeeded
            ? null
            : new TaskError { Code = "TASK_CANCELLED", Message = "asked for" },
        Timings = new() { StartedUs = 100, FinishedUs = 350 },
    };
}
