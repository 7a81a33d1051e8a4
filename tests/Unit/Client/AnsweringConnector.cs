// SPDX-License-Identifier: Apache-2.0
using System.Threading;
using System.Threading.Tasks;
using Muster.Client.Sessions;

namespace Muster.Unit.Client;

/// <summary>Opens <see cref="AnsweringStream"/>s.</summary>
internal sealed class AnsweringConnector : ISessionConnector
{
    public string Address => "unix:/answering";

    public Task<ulong> RegisterAsync(CancellationToken cancellationToken) => Task.FromResult(1ul);

    public Task<ISessionStream> OpenAsync(CancellationToken cancellationToken) =>
        Task.FromResult<ISessionStream>(new AnsweringStream());

    public Task<byte[]?> AwaitTaskAsync(TaskId id, CancellationToken cancellationToken) =>
        new TaskCompletionSource<byte[]?>().Task.WaitAsync(cancellationToken);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
