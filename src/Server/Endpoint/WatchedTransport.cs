// SPDX-License-Identifier: Apache-2.0
using System;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.AspNetCore.Connections;

namespace Muster.Server.Endpoint;

/// <summary>A connection's bytes, passed on as they are; notes when the peer has ended them.</summary>
internal sealed class WatchedTransport(IDuplexPipe inner, ConnectionEnd end) : IDuplexPipe
{
    public PipeReader Input { get; } = new Reader(inner.Input, end);

    public PipeWriter Output => inner.Output;

    private sealed class Reader(PipeReader inner, ConnectionEnd end) : PipeReader
    {
        public override void AdvanceTo(SequencePosition consumed) => inner.AdvanceTo(consumed);

        public override void AdvanceTo(SequencePosition consumed, SequencePosition examined) =>
            inner.AdvanceTo(consumed, examined);

        public override void CancelPendingRead() => inner.CancelPendingRead();

        public override void Complete(Exception? exception = null) => inner.Complete(exception);

        public override ValueTask CompleteAsync(Exception? exception = null) => inner.CompleteAsync(exception);

        public override bool TryRead(out ReadResult result)
        {
            try
            {
                var isRead = inner.TryRead(out result);
                Note(isRead && result.IsCompleted);
                return isRead;
            }
            catch (ConnectionResetException)
            {
                Note(true);
                throw;
            }
        }

        public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
        {
            try
            {
                // A pipe whose end is known already throws from here, not from the task.
                var read = inner.ReadAsync(cancellationToken);
                return read.IsCompletedSuccessfully ? new(Noted(read.Result)) : AwaitAsync(read);
            }
            catch (ConnectionResetException)
            {
                Note(true);
                throw;
            }
        }

        [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
        private async ValueTask<ReadResult> AwaitAsync(ValueTask<ReadResult> read)
        {
            try
            {
                return Noted(await read.ConfigureAwait(false));
            }
            catch (ConnectionResetException)
            {
                Note(true);
                throw;
            }
        }

        private ReadResult Noted(ReadResult result)
        {
            Note(result.IsCompleted);
            return result;
        }

        private void Note(bool isOver)
        {
            if (isOver)
            {
                end.IsByPeer = true;
            }
        }
    }
}
