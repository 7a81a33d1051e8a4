// SPDX-License-Identifier: Apache-2.0
using System;
using System.Net.Sockets;
using System.Threading.Tasks;
using Grpc.Core;
using Muster.Arena.Links;
using Muster.Arena.Native;
using Muster.Transport;
using Muster.Transport.Wire;

namespace Muster.Link;

/// <summary>Opens streams to a server of the same host and user through shared memory. Any thread.</summary>
internal static class LinkDialer
{
    private const int TimeoutMs = 1_000;

    /// <summary>MUSTER_LINKS=off: this process uses gRPC, also with servers of its own host.</summary>
    private static readonly bool s_isOff = Environment.GetEnvironmentVariable("MUSTER_LINKS") == "off";

    /// <summary>
    /// A call like that of a gRPC channel, over a link; null when the address is not a Unix socket or the server has no
    /// link for it, and then gRPC is the way.
    /// </summary>
    public static async ValueTask<AsyncDuplexStreamingCall<RawMessage, RawMessage>?> TryOpenAsync(
        string address, Method<RawMessage, RawMessage> method)
    {
        if (s_isOff
            || !ChannelAddress.TryParse(address, out var parsed)
            || parsed.EndPoint is not UnixDomainSocketEndPoint socket)
        {
            return null;
        }

        // A server that is stopped does not answer; that must not stop who asks.
        var end = await Task.Run(() => TryDial(LinkGreeting.PathOf(socket.ToString()), method.FullName))
            .ConfigureAwait(false);
        return end is null ? null : new LinkedCall(end).Open();
    }

    private static LinkEnd? TryDial(string path, string method)
    {
        Socket? socket = null;
        LinkPages? pages = null;
        try
        {
            socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            {
                ReceiveTimeout = TimeoutMs,
                SendTimeout = TimeoutMs,
            };
            socket.Connect(new UnixDomainSocketEndPoint(path));
            if (SocketMessage.IsPeerOwn(socket)
                && SocketMessage.TrySend(socket.SafeHandle, LinkGreeting.Request(method), null))
            {
                Span<byte> answer = stackalloc byte[LinkGreeting.AnswerBytes];
                var received = SocketMessage.Receive(socket.SafeHandle, answer, out var file);
                using (file)
                {
                    pages = file is not null && received >= 0 && LinkGreeting.IsAccepted(answer[..received])
                        ? LinkPages.TryOpen(file)
                        : null;
                }
            }
        }
        catch (Exception failure) when (failure is SocketException or ArgumentOutOfRangeException)
        {
            // Nobody listens for links there, the path is too long for one, or no descriptor is left: gRPC has its own
            // socket, and ways to wait for one.
        }

        if (pages is null)
        {
            socket?.Dispose();
            return null;
        }

        return LinkEnd.Start(pages, socket!);
    }
}
