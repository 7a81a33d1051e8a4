// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;

namespace Muster.Transport.Http2;

/// <summary>
/// Connects a socket to whichever place of an address answers first. Names are looked up for each connection, so a
/// changed entry is followed; places are tried in order, of one name in turns by family, each a moment after the one
/// before unless that one failed sooner (RFC 8305).
/// </summary>
internal static class Dialer
{
    /// <summary>Head start of a place before the next is tried beside it: what RFC 8305 recommends.</summary>
    private static readonly TimeSpan s_headStart = TimeSpan.FromMilliseconds(250);

    public static async Task<Socket> ConnectAsync(ChannelAddress address, CancellationToken cancellationToken)
    {
        if (address.EndPoint.AddressFamily == AddressFamily.Unix)
        {
            return await ConnectAsync(address.EndPoint, cancellationToken).ConfigureAwait(false);
        }

        var places = await PlacesOfAsync(address.EndPoints, cancellationToken).ConfigureAwait(false);
        return places.Count == 1
            ? await ConnectAsync(places[0], cancellationToken).ConfigureAwait(false)
            : await RaceAsync(places, cancellationToken).ConfigureAwait(false);
    }

    private static async Task<List<EndPoint>> PlacesOfAsync(
        IReadOnlyList<EndPoint> endPoints, CancellationToken cancellationToken)
    {
        var places = new List<EndPoint>();
        SocketException? failure = null;
        foreach (var endPoint in endPoints)
        {
            if (endPoint is not DnsEndPoint name)
            {
                places.Add(endPoint);
                continue;
            }

            try
            {
                var found = await Dns.GetHostAddressesAsync(name.Host, cancellationToken).ConfigureAwait(false);
                places.AddRange(InTurns(found).Select(ip => new IPEndPoint(ip, name.Port)));
            }
            catch (SocketException unknown)
            {
                // Another of the names may be known.
                failure = unknown;
            }
        }

        return places.Count > 0 ? places : throw failure ?? new SocketException((int)SocketError.HostNotFound);
    }

    private static IEnumerable<IPAddress> InTurns(IPAddress[] found)
    {
        var first = found.Where(ip => ip.AddressFamily == found[0].AddressFamily).ToArray();
        var second = found.Where(ip => ip.AddressFamily != found[0].AddressFamily).ToArray();
        for (var n = 0; n < Math.Max(first.Length, second.Length); n++)
        {
            if (n < first.Length)
            {
                yield return first[n];
            }

            if (n < second.Length)
            {
                yield return second[n];
            }
        }
    }

    private static async Task<Socket> RaceAsync(List<EndPoint> places, CancellationToken cancellationToken)
    {
        using var lost = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var running = new List<Task<Socket>>();
        Exception? failure = null;
        try
        {
            for (var next = 0; next < places.Count || running.Count > 0;)
            {
                if (next < places.Count)
                {
                    running.Add(ConnectAsync(places[next++], lost.Token));
                }

                var ended = await FirstAsync(running, next < places.Count, cancellationToken).ConfigureAwait(false);
                if (ended is null)
                {
                    continue;
                }

                running.Remove(ended);
                if (ended.IsCompletedSuccessfully)
                {
                    return await ended.ConfigureAwait(false);
                }

                failure = ended.Exception?.InnerException ?? failure;
            }
        }
        finally
        {
            await lost.CancelAsync().ConfigureAwait(false);
            foreach (var late in running)
            {
                _ = late.ContinueWith(
                    static won => won.Result.Dispose(),
                    CancellationToken.None,
                    TaskContinuationOptions.OnlyOnRanToCompletion,
                    TaskScheduler.Default);
            }
        }

        cancellationToken.ThrowIfCancellationRequested();
        throw failure ?? new SocketException((int)SocketError.HostUnreachable);
    }

    // Null: the head start is over and the next place may be tried.
    private static async Task<Task<Socket>?> FirstAsync(
        List<Task<Socket>> running, bool hasNext, CancellationToken cancellationToken)
    {
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var pause = Task.Delay(hasNext ? s_headStart : Timeout.InfiniteTimeSpan, enough.Token);
        var first = await Task.WhenAny([.. running, pause]).ConfigureAwait(false);
        await enough.CancelAsync().ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        return first as Task<Socket>;
    }

    private static async Task<Socket> ConnectAsync(EndPoint place, CancellationToken cancellationToken)
    {
        var socket = place.AddressFamily == AddressFamily.Unix
            ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : new Socket(place.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(place, cancellationToken).ConfigureAwait(false);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
