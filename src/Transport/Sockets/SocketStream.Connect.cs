// SPDX-License-Identifier: Apache-2.0
using System.Net;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;

namespace Muster.Transport.Sockets;

/// <content>
/// Connecting. Not by the runtime's asynchronous call: over TCP that has to wait, and so leaves the socket with the
/// runtime's poller for as long as it lives.
/// </content>
internal sealed partial class SocketStream
{
    /// <summary>
    /// Connects, to each address of a name in turn. Throws <see cref="SocketException"/> with the last one's reason.
    /// </summary>
    public static async Task<SocketStream> ConnectAsync(
        EndPoint endPoint, SocketThread thread, CancellationToken cancellationToken)
    {
        if (endPoint is not DnsEndPoint name)
        {
            return await ConnectOneAsync(endPoint, thread, cancellationToken).ConfigureAwait(false);
        }

        var last = new SocketException((int)SocketError.HostNotFound);
        foreach (var address in await Dns.GetHostAddressesAsync(name.Host, cancellationToken).ConfigureAwait(false))
        {
            try
            {
                return await ConnectOneAsync(new IPEndPoint(address, name.Port), thread, cancellationToken)
                    .ConfigureAwait(false);
            }
            catch (SocketException failure)
            {
                last = failure;
            }
        }

        throw last;
    }

    private static async Task<SocketStream> ConnectOneAsync(
        EndPoint endPoint, SocketThread thread, CancellationToken cancellationToken)
    {
        var isUnix = endPoint.AddressFamily == AddressFamily.Unix;
        var socket = isUnix
            ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        SocketStream? stream = null;
        try
        {
            socket.Blocking = false;
            var isUnderWay = !TryConnect(socket, endPoint);
            stream = new SocketStream(socket, thread);
            if (isUnderWay)
            {
                await stream.WritableAsync(cancellationToken).ConfigureAwait(false);
                var error = (SocketError)(int)socket.GetSocketOption(
                    SocketOptionLevel.Socket, SocketOptionName.Error)!;
                if (error != SocketError.Success)
                {
                    throw new SocketException((int)error);
                }
            }

            return stream;
        }
        catch
        {
            stream?.Dispose();
            socket.Dispose();
            throw;
        }
    }

    // False: it is under way. A Unix socket is connected at once, or has no room for one more who waits.
    private static bool TryConnect(Socket socket, EndPoint endPoint)
    {
        try
        {
            socket.Connect(endPoint);
            return true;
        }
        catch (SocketException failure) when (
            endPoint.AddressFamily != AddressFamily.Unix
            && failure.SocketErrorCode is SocketError.WouldBlock or SocketError.InProgress)
        {
            return false;
        }
    }

    private ValueTask WritableAsync(CancellationToken cancellationToken) =>
        SendRestUntilAsync(default, cancellationToken);
}
