// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using Muster.Core.Tasks;
using Muster.Worker;
using Muster.Worker.Attempts;
using Muster.Worker.Execution;
using Muster.Worker.Handlers;
using Xunit;

namespace Muster.Unit.Worker;

/// <summary>Random lives of the book: what comes in leaves exactly once, and numbers have no gaps.</summary>
public sealed class AttemptBookTests
{
    private const int Slots = 4;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void Book_UnderRandomSteps_CountsEveryAttemptOnce(int seed)
    {
        var random = new Random(seed);
        var life = new BookLife();
        for (var step = 0; step < 20_000; step++)
        {
            life.Step(random);
            life.Check();
        }

        life.End();
    }

    [Fact]
    public void Results_OverTheBound_HoldUpFurtherStarts()
    {
        var book = new AttemptBook(Slots, ticksPerMs: 1);
        book.Heard(0, 1_000_000);
        for (ulong task = 1; task <= WorkerLimits.UnconfirmedMax; task++)
        {
            book.AddEnded(BookLife.Make(task), AttemptEnd.Succeeded(default), 0);
        }

        book.Add(BookLife.Make(1_000_000));
        Assert.False(book.TryStart(1, threadIsFree: true, out _));
        Assert.True(book.Confirm(1));
        Assert.True(book.TryStart(1, threadIsFree: true, out _));
    }

    [Fact]
    public void Results_OfAHandlerKnownToBeShort_WaitUntilManyAreThere()
    {
        const int TicksPerMs = 1_000_000;
        var book = new AttemptBook(Slots, TicksPerMs);
        book.Heard(0, 1_000_000);
        var first = BookLife.Make(1);

        // Nothing is known of it, so what it may hold back leaves before it runs.
        Assert.False(book.IsSoonOver(first));
        long now = 0;
        for (ulong task = 1; !book.AreResultsDue; task++)
        {
            Assert.True(task <= WorkerLimits.HeldResultsMax);
            book.Add(BookLife.Make(task, first.Handler));
            Assert.True(book.TryStart(now, threadIsFree: true, out var attempt));
            book.Finish(attempt!, AttemptEnd.Succeeded(default), now += 1_000);
        }

        Assert.Equal(WorkerLimits.HeldResultsMax, book.Results.Unsent);
        Assert.True(book.IsSoonOver(first));

        // One long run is enough to be careful again.
        book.Add(BookLife.Make(1_000, first.Handler));
        Assert.True(book.TryStart(now, threadIsFree: true, out var slow));
        book.Finish(slow!, AttemptEnd.Succeeded(default), now + (2 * TicksPerMs));
        Assert.False(book.IsSoonOver(first));
    }

    [Fact]
    public void Results_OfAGiantSize_TravelAlone()
    {
        var results = new ResultQueue();
        foreach (var bytes in (int[])[10, WorkerLimits.MessageBytesSoftMax + 1, 10, 10])
        {
            var attempt = BookLife.Make(1);
            attempt.End = AttemptEnd.Succeeded(new byte[bytes]);
            results.Add(attempt);
        }

        var counts = new List<int>();
        while (results.Unsent > 0)
        {
            var taken = new List<HeldAttempt>();
            results.TakeUnsent(taken);
            counts.Add(taken.Count);
        }

        Assert.Equal([1, 1, 2], counts);
        results.Rewind();
        Assert.Equal(4, results.Unsent);
    }

    [Fact]
    public void DescribeClaims_WhatWillNotBeReportedAgain_IsLeftOut()
    {
        var book = new AttemptBook(Slots, ticksPerMs: 1);
        book.Heard(0, 1_000_000);
        HeldAttempt[] attempts = [BookLife.Make(1), BookLife.Make(2), BookLife.Make(3), BookLife.Make(4)];
        foreach (var attempt in attempts)
        {
            book.Add(attempt);
            Assert.True(book.TryStart(1, threadIsFree: true, out _));
        }

        // The first runs; the second was given up and runs on; the third's time was over, which is confirmed, and it
        // runs on; the fourth has ended and is not confirmed.
        Assert.NotNull(book.Abandon(attempts[1].Key));
        book.Report(attempts[2], AttemptEnd.Succeeded(default), 2);
        Assert.True(book.Confirm(1));
        book.Finish(attempts[3], AttemptEnd.Succeeded(default), 2);
        var claims = new List<AttemptKey>();
        book.DescribeClaims(claims);
        Assert.Equal([attempts[0].Key, attempts[3].Key], claims.Order(Comparer<AttemptKey>.Create(
            static (left, right) => left.Task.CompareTo(right.Task))));
    }

    /// <summary>A book with the counts that it should have.</summary>
    private sealed class BookLife
    {
        private readonly AttemptBook _book = new(Slots, ticksPerMs: 1);
        private readonly List<HeldAttempt> _running = [];
        private readonly List<HeldAttempt> _scratch = [];
        private ulong _added;
        private ulong _returned;
        private ulong _confirmed;
        private long _now;

        public static HeldAttempt Make(ulong task, HandlerEntry? handler = null) => new()
        {
            Key = new AttemptKey(new TaskId(task), new Attempt(4_097)),
            Execution = 1,
            Handler = handler ?? new Nothing(),
            Limits = new(task % 3 == 0 ? 20u : 0, 0, 0),
            ReceivedAt = 0,
            Payload = default,
        };

        public void Step(Random random)
        {
            _now++;
            _book.Heard(_now, 1_000);
            switch (random.Next(9))
            {
                case 0 or 1 or 2:
                    _book.Add(Make(++_added));
                    break;
                case 3:
                    _book.AddEnded(Make(++_added), AttemptEnd.Succeeded(default), _now);
                    break;
                case 4:
                    Start();
                    break;
                case 5 when _running.Count > 0:
                    Finish(random.Next(_running.Count));
                    break;
                case 6:
                    _book.Abandon(Make(1 + (ulong)random.NextInt64((long)_added + 1)).Key);
                    break;
                case 7:
                    TimeOut();
                    break;
                case 8:
                    Rare(random);
                    break;
            }
        }

        public void Check()
        {
            var inHand = new List<AttemptKey>();
            var unconfirmed = new List<AttemptKey>();
            _book.Describe(inHand, unconfirmed);
            Assert.Equal(_added, _book.EndedTotal + _returned + (ulong)inHand.Count);
            Assert.Equal(_running.Count, _book.Running.Count);
            Assert.Equal(inHand.Count, _book.Queued + _running.Count);
            for (var index = 0; index < _book.Results.Count; index++)
            {
                Assert.Equal(_confirmed + (ulong)index + 1, _book.Results.At(index).ResultNumber);
            }
        }

        public void End()
        {
            while (_book.Queued > 0 || _running.Count > 0)
            {
                _now++;
                _book.Heard(_now, 1_000);
                Start();
                Finish(0);
            }

            _book.Confirm(ulong.MaxValue);
            var left = new List<AttemptKey>();
            _book.Describe(left, left);
            Assert.Empty(left);
            Assert.True(_book.IsEmpty);
            Assert.Equal(0, _book.Results.Bytes);
            Assert.Equal(_added, _book.EndedTotal + _returned);
        }

        private void Start()
        {
            if (_book.TryStart(_now, threadIsFree: true, out var attempt))
            {
                _running.Add(attempt!);
            }

            Assert.InRange(_running.Count, 0, Slots);
        }

        private void Finish(int index)
        {
            if (index < _running.Count)
            {
                _book.Finish(_running[index], AttemptEnd.Succeeded(new byte[] { 1, 2 }), _now);
                _running.RemoveAt(index);
            }
        }

        private void TimeOut()
        {
            _scratch.Clear();
            _book.TakeTimedOut(_now, _scratch);
            foreach (var attempt in _scratch)
            {
                Assert.True(attempt.DeadlineAt <= _now);
                _book.Report(attempt, AttemptEnd.TimedOut(Executor.TimedOutFailure(attempt)), _now);
            }
        }

        private void Rare(Random random)
        {
            switch (random.Next(20))
            {
                case 0:
                    var returned = new List<AttemptKey>();
                    _book.TakeUnstarted(returned);
                    _returned += (ulong)returned.Count;
                    Assert.Equal(0, _book.Queued);
                    break;
                case 1:
                    _book.AbandonAll(_scratch);
                    _confirmed = _book.Results.LastNumber;
                    Assert.Equal(0, _book.Results.Count);
                    break;
                case 2:
                    _book.Results.Rewind();
                    break;
                default:
                    _confirmed += (ulong)random.NextInt64(_book.Results.Count + 1);
                    _book.Confirm(_confirmed);
                    break;
            }
        }

        private sealed class Nothing() : HandlerEntry("nothing", HandlerPlace.SlotThread)
        {
            public override AttemptEnd? Run(HeldAttempt attempt, Executor executor) =>
                throw new NotSupportedException();
        }
    }
}
