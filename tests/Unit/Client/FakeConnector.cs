// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;
using System.Threading.Channels;
using System.Threading.Tasks;
using Muster.Client.Sessions;
using Muster.V1;

namespace Muster.Unit.Client;

/// <summary>Opens <see cref="FakeStream"/>s for the test to serve.</summary>
internal sealed class FakeConnector : ISessionConnector
{
    private readonly Channel<FakeStream> _opened = Channel.CreateUnbounded<FakeStream>();
    private int _registrations;

    public string Address => "unix:/fake";

    public int Registrations => Volatile.Read(ref _registrations);

    public int OpenAttempts { get; private set; }

    /// <summary>Thrown by the next opens; null: they succeed.</summary>
    public Func<MusterException?> Refusal { get; set; } = () => null;

    /// <summary>Answers AwaitTask; until it is set, no task ends.</summary>
    public Func<TaskId, Task<byte[]?>> Await { get; set; } = _ => new TaskCompletionSource<byte[]?>().Task;

    public static MusterException Unavailable(string code = "UNAVAILABLE") => new(code, "down") { IsTransient = true };

    /// <summary>The next stream, its hello read and answered.</summary>
    public async Task<(FakeStream Stream, SessionHello Hello)> AcceptAsync(PlmModel plm, bool repeats = true)
    {
        var stream = await _opened.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(20));
        var hello = (await stream.NextAsync()).Hello;
        stream.Send(plm.Hello(hello));
        if (repeats)
        {
            stream.Send(plm.Repeat());
        }

        return (stream, hello);
    }

    public Task<ulong> RegisterAsync(CancellationToken cancellationToken) =>
        Task.FromResult((ulong)Interlocked.Increment(ref _registrations));

    public Task<ISessionStream> OpenAsync(CancellationToken cancellationToken)
    {
        OpenAttempts++;
        if (Refusal() is { } refusal)
        {
            throw refusal;
        }

        var stream = new FakeStream();
        _opened.Writer.TryWrite(stream);
        return Task.FromResult<ISessionStream>(stream);
    }

    public Task<byte[]?> AwaitTaskAsync(TaskId id, CancellationToken cancellationToken) =>
        Await(id).WaitAsync(cancellationToken);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
