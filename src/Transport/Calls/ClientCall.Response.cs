// SPDX-License-Identifier: Apache-2.0
using System;
using Grpc.Core;
using Muster.Transport.Http2;

namespace Muster.Transport.Calls;

/// <summary>What comes back, on the receive loop.</summary>
internal abstract partial class ClientCall
{
    private const int RefusalsMax = 3;

    private IncomingMessages _incoming;
    private string? _encoding;
    private bool _headersSeen;
    private int _refusals;

    /// <summary>Something was sent that cannot be sent again. Guarded by the gate.</summary>
    protected bool SentForGood { get; set; }

    /// <summary>Whether an OK without a message is an error. Under the gate.</summary>
    protected abstract bool LacksResponse { get; }

    public override void OnHeaders(ResponseHead head, bool endStream)
    {
        if (head.TooLarge)
        {
            End(StatusCode.ResourceExhausted, "The response's headers or trailers are larger than this client takes.");
        }
        else if (endStream)
        {
            OnTrailers(head);
        }
        else if (_headersSeen)
        {
            End(StatusCode.Internal, "The server sent headers in the middle of its response.");
        }
        else if (head.HttpStatus is >= 100 and < 200)
        {
            // An interim answer: the real one follows.
            return;
        }
        else if (head.HttpStatus != 200 || head.IsGrpcContent != true)
        {
            End(StatusMapping.FromHttp(head.HttpStatus), NotGrpc(head));
        }
        else
        {
            _headersSeen = true;
            _encoding = head.Encoding;
            lock (Gate)
            {
                _headers = head.Metadata ?? Metadata.Empty;
            }
        }
    }

    public override int OnData(byte[] buffer, int offset, int count, bool endStream)
    {
        if (!_headersSeen || IsFinished)
        {
            End(StatusCode.Internal, "The server sent a body without headers.");
            return count;
        }

        var piece = new ArraySegment<byte>(buffer, offset, count);
        var credit = count;
        Status error;
        while (_incoming.TryTake(
            ref piece, Channel.Options.ReceiveMessageBytesMax, _encoding, out var message, out error))
        {
            // Held back until it is read: the whole message, though the server may have been given back the pieces that
            // came before this one. So what waits unread never grows beyond the window by more than one message.
            var held = MessageWriter.PrefixBytes + message.Count;
            try
            {
                credit -= OnMessage(message, held);
            }
            catch (Exception e)
            {
                // A deserializer throws what it likes; all of it means that the bytes are no such message.
                End(StatusCode.Internal, "A response could not be read: " + e.Message);
                return count;
            }
            finally
            {
                _incoming.Release();
            }
        }

        if (error.StatusCode != StatusCode.OK)
        {
            End(error.StatusCode, error.Detail);
        }
        else if (endStream)
        {
            End(StatusCode.Unknown, "The response ended without a status.");
        }

        return credit;
    }

    public override void OnReset(Http2ErrorCode code) =>
        End(
            _expires && Remaining() <= TimeSpan.Zero ? StatusCode.DeadlineExceeded : StatusMapping.FromReset(code),
            $"The server reset the stream ({code}).");

    public override void OnRefused(string reason)
    {
        bool again;
        lock (Gate)
        {
            again = !_finished && !_headersSeen && !SentForGood && _refusals++ < RefusalsMax;
            if (again)
            {
                Detach();
            }
        }

        if (again)
        {
            Channel.Start(this);
        }
        else
        {
            End(StatusCode.Unavailable, "The call was not served: " + reason);
        }
    }

    public override void OnConnectionLost(string reason)
    {
        if (Finish(new Status(StatusCode.Unavailable, "The connection was lost: " + reason), null, drop: false))
        {
            Signal();
        }
    }

    public override void OnGivenUp(string reason) => Fail(new Status(StatusCode.Cancelled, reason));

    /// <summary>A whole message came. Gives how many bytes are to be held back until it is read.</summary>
    protected abstract int OnMessage(ArraySegment<byte> message, int heldBytes);

    /// <summary>Ends the call from the receive loop, which wakes the waiting by itself afterwards.</summary>
    protected void End(StatusCode code, string detail)
    {
        if (Finish(new Status(code, detail), null, drop: false))
        {
            Connection?.Reset(this, Http2ErrorCode.Cancel);
        }
    }

    private static string NotGrpc(ResponseHead head) => head.HttpStatus == 200
        ? "The response is not gRPC: its content-type is another."
        : $"The server answered with HTTP status {head.HttpStatus}.";

    private void OnTrailers(ResponseHead head)
    {
        var only = !_headersSeen;
        _incoming.Release();
        if (head.GrpcStatus < 0)
        {
            var foreign = only && (head.HttpStatus != 200 || head.IsGrpcContent != true);
            var code = foreign ? StatusMapping.FromHttp(head.HttpStatus) : StatusCode.Unknown;
            Finish(
                new Status(code, foreign ? NotGrpc(head) : "The response ended without a status."),
                head.Metadata,
                drop: false);
            return;
        }

        var status = new Status(StatusMapping.FromNumber(head.GrpcStatus), head.Message);
        if (status.StatusCode == StatusCode.OK && !_incoming.IsBetweenMessages)
        {
            status = new Status(StatusCode.Internal, "The response ended inside a message.");
        }
        else if (status.StatusCode == StatusCode.OK && LacksResponse)
        {
            status = new Status(StatusCode.Unimplemented, "The server ended with OK but sent no response.");
        }

        Finish(status, head.Metadata, drop: false);
    }
}
