// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers;
using System.Threading;
using System.Threading.Tasks;
using Grpc.Core;
using Muster.Server.Http2;

namespace Muster.Unit.Http2;

/// <summary>Calls that echo what they read, straight on their streams, some on the receive loop.</summary>
internal sealed class FuzzCalls : ICallStarter, IDisposable
{
    public void Start(ServerStream stream, RequestHead head)
    {
        stream.IsReadOnLoop = stream.Id % 4 == 1;
        var call = new Call(stream);
        stream.Attach(call);
        _ = stream.IsReadOnLoop ? call.RunAsync() : Task.Run(call.RunAsync);
    }

    public void Dispose()
    {
        // Calls end with their connection.
    }

    private sealed class Call(ServerStream stream) : IStreamCall
    {
        public void OnPeerGone() => stream.Wake();

        public async Task RunAsync()
        {
            try
            {
                while (!stream.IsAtEnd())
                {
                    if (!await stream.WaitAsync())
                    {
                        break;
                    }

                    await EchoAsync();
                }
            }
            catch (RpcException)
            {
                // A prefix that is refused.
            }

            stream.Connection.Finish(stream, null, 0, ResponseBlocks.TrailersOk);
            stream.Connection.CallEnded();
        }

        private async Task EchoAsync()
        {
            while (stream.TryTake(out var message, out var length))
            {
                var written = stream.Connection.WriteAsync(stream, message.AsMemory(0, length));
                var result = await written;
                ArrayPool<byte>.Shared.Return(message);
                if (result.IsCompleted)
                {
                    return;
                }
            }
        }
    }
}
