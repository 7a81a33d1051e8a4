// SPDX-License-Identifier: Apache-2.0
using System;
using System.ComponentModel;
using System.IO;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Threading;
using System.Threading.Tasks;
using Muster.Transport.Sockets;

namespace Muster.Transport.Http2;

/// <summary>Makes connections: socket, TLS where the address wants it, and the first exchange of HTTP/2.</summary>
internal static class Connector
{
    /// <summary>
    /// Connects within the options' time. Throws <see cref="IOException"/> with a sentence for people when the server
    /// cannot be reached, and <see cref="OperationCanceledException"/> only for the caller's token.
    /// </summary>
    public static async Task<Http2Connection> ConnectAsync(
        ChannelAddress address,
        GrpcChannelOptions options,
        IConnectionOwner owner,
        CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(options.ConnectTimeout, options.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        Stream? io = null;
        try
        {
            io = await OpenAsync(address, options, both.Token).ConfigureAwait(false);
            var connection = new Http2Connection(io, owner, options.ForConnection());
            await connection.StartAsync(both.Token).ConfigureAwait(false);
            return connection;
        }
        catch (Exception e) when (e is Win32Exception or IOException or AuthenticationException
            or OperationCanceledException or ObjectDisposedException)
        {
            if (io is not null)
            {
                await io.DisposeAsync().ConfigureAwait(false);
            }

            cancellationToken.ThrowIfCancellationRequested();
            var why = late.IsCancellationRequested
                ? $"no answer within {options.ConnectTimeout.TotalSeconds:F1} s"
                : ReasonOf(address, e);
            throw new IOException($"Cannot connect to {address.Text}: {why}", e);
        }
    }

    /// <summary>A socket file that does not exist is called an address that cannot be assigned by the
    /// runtime.</summary>
    private static string ReasonOf(ChannelAddress address, Exception failure) =>
        address.EndPoint.AddressFamily == AddressFamily.Unix
        && failure is SocketException { SocketErrorCode: SocketError.AddressNotAvailable }
            ? "there is no such socket"
            : failure.Message;

    private static async Task<Stream> OpenAsync(
        ChannelAddress address, GrpcChannelOptions options, CancellationToken cancellationToken)
    {
        // Of several places the one that answers first: that is the dialer's, as is everything for TLS.
        if (!address.IsSecure && address.EndPoints.Count == 1 && SocketThreads.AreSupported)
        {
            return await SocketStream.ConnectAsync(
                address.EndPoint, SocketThreads.OfChannels.Take(), cancellationToken).ConfigureAwait(false);
        }

        // The runtime's way: what checks a certificate may take its time, which no socket thread has.
        var socket = await Dialer.ConnectAsync(address, cancellationToken).ConfigureAwait(false);
        var stream = new NetworkStream(socket, ownsSocket: true);
        return address.IsSecure
            ? await SecureAsync(stream, address, options, cancellationToken).ConfigureAwait(false)
            : stream;
    }

    private static async Task<Stream> SecureAsync(
        Stream inner, ChannelAddress address, GrpcChannelOptions options, CancellationToken cancellationToken)
    {
        var given = options.Tls;
        var tls = new SslClientAuthenticationOptions
        {
            TargetHost = given?.TargetHost ?? address.Host,
            ApplicationProtocols = [SslApplicationProtocol.Http2],
            ClientCertificates = given?.ClientCertificates,
            ClientCertificateContext = given?.ClientCertificateContext,
            LocalCertificateSelectionCallback = given?.LocalCertificateSelectionCallback,
            RemoteCertificateValidationCallback = given?.RemoteCertificateValidationCallback,
            CertificateChainPolicy = given?.CertificateChainPolicy,
            EnabledSslProtocols = given?.EnabledSslProtocols ?? SslProtocols.None,
        };
        var stream = new SslStream(inner);
        try
        {
            await stream.AuthenticateAsClientAsync(tls, cancellationToken).ConfigureAwait(false);
            if (stream.NegotiatedApplicationProtocol != SslApplicationProtocol.Http2)
            {
                throw new AuthenticationException("the server does not offer HTTP/2 over TLS");
            }

            return stream;
        }
        catch
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }
}
