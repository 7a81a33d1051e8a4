// SPDX-License-Identifier: Apache-2.0
using System;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using Muster.Arena.Native;
using Muster.Transport;

namespace Muster.Link;

/// <summary>
/// The waits between tries to reach a server. Of one on this host they end as soon as its socket is another than the
/// one that was tried: a server that came back made it anew, and a look at it costs a system call, which trying to
/// connect does not. Elsewhere it is the plain wait. Owner: the loop that connects; one thread at a time.
/// </summary>
internal sealed class ServerReturn(TimeProvider time)
{
    private const int LookMs = 5;

    /// <summary>After an outage of so long the looks are further apart.</summary>
    private const int EagerMs = 2_000;
    private const int PatientLookMs = 50;

    /// <summary>A socket is there a moment before it takes connections: for so long no wait is longer than a look.
    /// </summary>
    private const int ArrivalMs = 200;

    private string? _path;
    private FileFacts? _tried;
    private long _outSince;
    private long _arrivedAt;

    /// <summary>To be told before each try.</summary>
    public void Trying(string address)
    {
        _path = ChannelAddress.TryParse(address, out var parsed) && parsed.EndPoint is UnixDomainSocketEndPoint socket
            ? socket.ToString()
            : null;
        _tried = Look();
    }

    /// <summary>To be told when a try has succeeded.</summary>
    public void Reached() => _outSince = 0;

    /// <summary>Waits for so long, or until the server tried last is there again.</summary>
    public async Task WaitAsync(TimeSpan longest, CancellationToken cancellationToken)
    {
        if (_path is null)
        {
            await Task.Delay(longest, time, cancellationToken).ConfigureAwait(false);
            return;
        }

        var start = time.GetTimestamp();
        _outSince = _outSince == 0 ? start : _outSince;
        if (_arrivedAt != 0 && MsSince(_arrivedAt) < ArrivalMs && longest.TotalMilliseconds > LookMs)
        {
            longest = TimeSpan.FromMilliseconds(LookMs);
        }

        while (true)
        {
            if (Look() is { } found && found != _tried)
            {
                _arrivedAt = time.GetTimestamp();
                return;
            }

            var left = longest - time.GetElapsedTime(start);
            if (left <= TimeSpan.Zero)
            {
                return;
            }

            var look = TimeSpan.FromMilliseconds(MsSince(_outSince) < EagerMs ? LookMs : PatientLookMs);
            await Task.Delay(look < left ? look : left, time, cancellationToken).ConfigureAwait(false);
        }
    }

    private double MsSince(long timestamp) => time.GetElapsedTime(timestamp).TotalMilliseconds;

    private FileFacts? Look() => _path is not null && Statx.TryOf(_path, out var facts) ? facts : null;
}
