// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics.CodeAnalysis;
using System.Threading;
using System.Threading.Tasks;
using Muster.Transport.Wire;

namespace Muster.Worker.Links;

/// <summary>
/// Sends what there is to send, by whichever thread noticed it: one thread at a time has the turn, gathers everything
/// that is ready, sends it, and looks again before it gives the turn back. A thread that finds the turn taken leaves
/// word and goes on. So the first result leaves without a change of threads, and under load messages grow by
/// themselves.
/// </summary>
/// <remarks>
/// The turn is one word: idle, sending, or sending with word left. Nothing is queued here: what is to be sent lies in
/// the state that <see cref="TryNext"/> reads. Leaving word is a compare-and-swap, and giving the turn back fails when
/// word was left, so nothing that was ready before a <see cref="Flush"/> stays unsent.
/// </remarks>
internal abstract class MessagePump(Action<Exception> stopWorker)
{
    private const int Idle = 0;
    private const int Sending = 1;
    private const int WordLeft = 2;

    /// <summary>Messages that a visiting thread sends before it leaves the rest to the owner's own thread.</summary>
    private const int VisitorMessagesMax = 8;

    private int _turn;

    /// <summary>Sends what is ready. For any thread; never blocks.</summary>
    /// <param name="isOwner">Whether the calling thread has nothing else to do than this.</param>
    public void Flush(bool isOwner = false)
    {
        while (true)
        {
            var turn = Volatile.Read(ref _turn);
            if (turn == WordLeft)
            {
                return;
            }

            var wanted = turn == Idle ? Sending : WordLeft;
            if (Interlocked.CompareExchange(ref _turn, wanted, turn) == turn)
            {
                if (turn == Idle)
                {
                    // Nothing is lost with the task: it catches everything.
                    _ = SendOrStopAsync(isOwner);
                }

                return;
            }
        }
    }

    /// <summary>Gathers the next message.</summary>
    protected abstract bool TryNext(
        [NotNullWhen(true)] out IMessageStream? stream, [NotNullWhen(true)] out RawMessage? message);

    /// <summary>The stream broke while something was written to it.</summary>
    protected abstract void Broken(IMessageStream stream, LinkException exception);

    /// <summary>A visitor leaves: have <see cref="Flush"/> called soon by a thread with time for it.</summary>
    protected abstract void HandOver();

    private async Task SendOrStopAsync(bool isOwner)
    {
        try
        {
            await SendAsync(isOwner).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            // What streams throw was handled; this is a bug of ours, and a worker that cannot send must not go on.
            stopWorker(exception);
        }
    }

    private async ValueTask SendAsync(bool isOwner)
    {
        var sent = 0;
        do
        {
            while (TryNext(out var stream, out var message))
            {
                try
                {
                    await stream.WriteAsync(message).ConfigureAwait(false);
                }
                catch (LinkException exception)
                {
                    Broken(stream, exception);
                }

                if (++sent >= VisitorMessagesMax && !isOwner)
                {
                    Volatile.Write(ref _turn, Idle);
                    HandOver();
                    return;
                }
            }
        }
        while (!TryEndTurn());
    }

    private bool TryEndTurn()
    {
        if (Interlocked.CompareExchange(ref _turn, Idle, Sending) == Sending)
        {
            return true;
        }

        Volatile.Write(ref _turn, Sending);
        return false;
    }
}
