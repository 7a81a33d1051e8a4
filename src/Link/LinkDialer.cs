// SPDX-License-Identifier: Apache-2.0
using System;
using System.Net.Sockets;
using System.Threading.Tasks;
using Grpc.Core;
using Muster.Arena.Links;
using Muster.Arena.Native;
using Muster.Core;
using Muster.Transport;
using Muster.Transport.Wire;

namespace Muster.Link;

/// <summary>Opens streams to a server of the same host and user through shared memory. Any thread.</summary>
internal static class LinkDialer
{
    private const int TimeoutMs = 1_000;

    private const int TriesMax = 4;
    private const int TryAgainMs = 5;

    /// <summary>MUSTER_LINKS=off: this process uses gRPC, also with servers of its own host.</summary>
    private static readonly bool s_isOff = Environment.GetEnvironmentVariable("MUSTER_LINKS") == "off";

    /// <summary>
    /// A call like that of a gRPC channel, over a link; null when the address is not a Unix socket or the server has no
    /// link for it, and then gRPC is the way.
    /// </summary>
    /// <exception cref="RpcException">UNAVAILABLE: nobody listens there at all. A channel would say the same, and then
    /// make its callers wait for its own next try.</exception>
    public static async ValueTask<AsyncDuplexStreamingCall<RawMessage, RawMessage>?> TryOpenAsync(
        string address, Method<RawMessage, RawMessage> method)
    {
        if (s_isOff
            || !ChannelAddress.TryParse(address, out var parsed)
            || parsed.EndPoint is not UnixDomainSocketEndPoint socket)
        {
            return null;
        }

        var path = socket.ToString();
        for (var tries = 1; ; tries++)
        {
            // A server that is stopped does not answer; that must not stop who asks.
            var (end, isRefused, absence) = await Task.Run(() => Dial(path, method.FullName)).ConfigureAwait(false);
            if (end is not null)
            {
                return new LinkedCall(end).Open();
            }

            if (absence.Length > 0)
            {
                throw new RpcException(
                    new Status(StatusCode.Unavailable, $"Cannot connect to {parsed.Text}: {absence}"));
            }

            if (!isRefused || tries == TriesMax)
            {
                return null;
            }

            // A server that has just started listens for links a moment later than for connections.
            await Task.Delay(TryAgainMs).ConfigureAwait(false);
        }
    }

    /// <summary>Whether nobody listens at an address on this host. False: somebody does, or it is elsewhere.</summary>
    public static async ValueTask<bool> IsAbsentAsync(string address)
    {
        if (!ChannelAddress.TryParse(address, out var parsed)
            || parsed.EndPoint is not UnixDomainSocketEndPoint socket)
        {
            return false;
        }

        var path = socket.ToString();
        return await Task.Run(() => Absence(path).Length > 0).ConfigureAwait(false);
    }

    // A link; or that nobody listens for links, and why not for connections either, unless somebody does.
    private static (LinkEnd? End, bool IsRefused, string Absence) Dial(string path, string method)
    {
        var end = TryDial(LinkGreeting.PathOf(path), method, out var isRefused);
        return (end, isRefused, isRefused ? Absence(path) : "");
    }

    private static string Absence(string path)
    {
        return UnixConnect.Try(path) switch
        {
            Errno.ENOENT => "there is no such socket",
            UnixConnect.ECONNREFUSED => OsError.Words(UnixConnect.ECONNREFUSED),

            // Somebody does; or it is stopped, or busy, and gRPC has more patience.
            _ => "",
        };
    }

    private static LinkEnd? TryDial(string path, string method, out bool isRefused)
    {
        Socket? socket = null;
        LinkPages? pages = null;
        isRefused = false;
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
            isRefused = failure is SocketException
            {
                SocketErrorCode: SocketError.ConnectionRefused or SocketError.AddressNotAvailable,
            };
        }

        if (pages is null)
        {
            socket?.Dispose();
            return null;
        }

        return LinkEnd.Start(pages, socket!);
    }
}
