// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;
using System.Threading.Tasks;
using Grpc.Core;
using Muster.Client.Sessions;
using Muster.Link;
using Muster.Transport;

namespace Muster.Client;

/// <summary>Opens sessions over gRPC. The connection belongs to the client that made it.</summary>
internal sealed class GrpcSessionConnector(CellConnection cell) : ISessionConnector
{
    private bool _isPlmStale;
    private ServerReturn? _return;

    public string Address => cell.Address;

    public Task<ulong> RegisterAsync(CancellationToken cancellationToken) => cell.RegisterAsync(cancellationToken);

    public async Task<ISessionStream> OpenAsync(CancellationToken cancellationToken)
    {
        if (_isPlmStale)
        {
            await RefreshPlmAsync(cancellationToken);
        }

        // Every stream that ends makes the address doubtful: a PLM that restarted may listen elsewhere.
        _isPlmStale = true;
        _return?.Trying(await cell.PlmAddressAsync(cancellationToken));
        try
        {
            if (await cell.TryLinkPlmAsync(cancellationToken) is { } linked)
            {
                _return?.Reached();
                return new GrpcSessionStream(linked);
            }

            var invoker = await cell.PlmAsync(cancellationToken, isSession: true);
            return new GrpcSessionStream(invoker.AsyncDuplexStreamingCall(RawMethods.SubmissionSession, null, default));
        }
        catch (RpcException failure)
        {
            throw RpcFailure.Translate(failure, cancellationToken);
        }
    }

    public Task<byte[]?> AwaitTaskAsync(TaskId id, CancellationToken cancellationToken) =>
        cell.AwaitTaskAsync(id, TimeSpan.FromMilliseconds(SessionLimits.AwaitMsMax), cancellationToken);

    public Task PauseAsync(TimeSpan longest, TimeProvider time, CancellationToken cancellationToken)
    {
        _return ??= new ServerReturn(time);
        return _return.WaitAsync(longest, cancellationToken);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>The Register may be the one that is gone; then the address known so far is the best there is.</summary>
    private async Task RefreshPlmAsync(CancellationToken cancellationToken)
    {
        if (await LinkDialer.IsAbsentAsync(cell.Address))
        {
            // A call would wait there for the channel's next try.
            return;
        }

        try
        {
            await cell.RegisterAsync(cancellationToken);
        }
        catch (MusterException failure) when (failure.IsTransient)
        {
            _isPlmStale = true;
        }
    }
}
