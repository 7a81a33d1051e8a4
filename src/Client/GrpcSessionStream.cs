// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;
using System.Threading.Tasks;
using Grpc.Core;
using Muster.Client.Sessions;
using Muster.Core;
using Muster.Transport.Wire;

namespace Muster.Client;

/// <summary>A Session call whose messages stay bytes.</summary>
internal sealed class GrpcSessionStream(AsyncDuplexStreamingCall<RawMessage, RawMessage> call) : ISessionStream
{
    public async Task WriteAsync(RawMessage message)
    {
        try
        {
            await call.RequestStream.WriteAsync(message);
        }
        catch (Exception failure) when (failure is RpcException or InvalidOperationException or ObjectDisposedException)
        {
            throw Ended(failure);
        }
    }

    public async Task<RawMessage?> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await call.ResponseStream.MoveNext(cancellationToken) ? call.ResponseStream.Current : null;
        }
        catch (RpcException failure)
        {
            throw RpcFailure.Translate(failure, cancellationToken);
        }
        catch (ObjectDisposedException failure)
        {
            throw Ended(failure);
        }
    }

    public async Task CompleteAsync()
    {
        try
        {
            await call.RequestStream.CompleteAsync();
        }
        catch (Exception failure) when (failure is RpcException or InvalidOperationException or ObjectDisposedException)
        {
            throw Ended(failure);
        }
    }

    public ValueTask DisposeAsync()
    {
        call.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>Writing to a call that has ended says little; its status is read on the other side.</summary>
    private static Exception Ended(Exception failure) => failure is RpcException status
        ? RpcFailure.Translate(status, CancellationToken.None)
        : new MusterException(FaultCodes.Name(FaultCode.Unavailable), "the stream has ended", null, failure)
        {
            IsTransient = true,
        };
}
