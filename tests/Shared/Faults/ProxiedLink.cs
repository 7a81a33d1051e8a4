// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers.Binary;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;

namespace Muster.Shared.Faults;

/// <summary>
/// One connection through a <see cref="FaultProxy"/>, which owns it: two pumps, one for each direction.
/// </summary>
internal sealed class ProxiedLink(Socket client, Socket server, int seed)
{
    private const int SolSocket = 1;
    private const int SoPeerCred = 17;
    private const int LookMs = 5;

    private readonly CancellationTokenSource _broken = new();

    public LinkFaults Faults { get; set; } = LinkFaults.None;

    /// <summary>Whose link it is; 0 over TCP.</summary>
    public int PeerPid { get; } = ReadPeer(client);

    /// <summary>Ends when the connection has.</summary>
    public async Task RunAsync()
    {
        var up = PumpAsync(client, server, isUp: true, new Random(seed));
        var down = PumpAsync(server, client, isUp: false, new Random(seed + 1));
        await Task.WhenAny(up, down);

        // One side's end is told to the other, which may still have something to say; but not for ever.
        await Task.WhenAny(Task.WhenAll(up, down), Task.Delay(TimeSpan.FromSeconds(1)));
        Break();
        await Task.WhenAll(up, down);
        _broken.Dispose();
    }

    /// <summary>Ends it at once, as a reset does.</summary>
    public void Break()
    {
        try
        {
            _broken.Cancel();
        }
        catch (ObjectDisposedException)
        {
            return;
        }

        foreach (var socket in new[] { client, server })
        {
            if (socket.AddressFamily == AddressFamily.InterNetwork && socket.Connected)
            {
                // A close that discards what is unsent is a reset on the wire.
                socket.LingerState = new LingerOption(enable: true, seconds: 0);
            }

            socket.Dispose();
        }
    }

    private static int ReadPeer(Socket socket)
    {
        if (socket.AddressFamily != AddressFamily.Unix)
        {
            return 0;
        }

        Span<byte> credentials = stackalloc byte[12];
        socket.GetRawSocketOption(SolSocket, SoPeerCred, credentials);
        return BinaryPrimitives.ReadInt32LittleEndian(credentials);
    }

    private async Task PumpAsync(Socket from, Socket to, bool isUp, Random random)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (true)
            {
                await AwaitFlowAsync(isUp);
                var size = Math.Min(buffer.Length, Faults.PieceBytesMax);
                var count = await from.ReceiveAsync(buffer.AsMemory(0, size), _broken.Token);
                if (count == 0)
                {
                    to.Shutdown(SocketShutdown.Send);
                    return;
                }

                await AwaitFlowAsync(isUp);
                await PassAsync(to, buffer.AsMemory(0, count), isUp, random);
            }
        }
        catch (Exception end) when (end is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The connection has ended, by its own or by our doing; there is nobody else to tell.
        }
    }

    private async Task PassAsync(Socket to, Memory<byte> piece, bool isUp, Random random)
    {
        var faults = Faults;
        if (faults.DelayMs + faults.JitterMs > 0)
        {
            await Task.Delay(faults.DelayMs + random.Next(faults.JitterMs + 1), _broken.Token);
        }

        if (isUp ? faults.IsSilentUp : faults.IsSilentDown)
        {
            return;
        }

        if (random.Next(1_000) < faults.CorruptPerMille)
        {
            piece.Span[random.Next(piece.Length)] ^= (byte)(1 << random.Next(8));
        }

        if (random.Next(1_000) < faults.ResetPerMille)
        {
            await SendAsync(to, piece[..(piece.Length / 2)]);
            Break();
            return;
        }

        await SendAsync(to, piece);
    }

    private async Task SendAsync(Socket to, ReadOnlyMemory<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            bytes = bytes[await to.SendAsync(bytes, _broken.Token)..];
        }
    }

    private async Task AwaitFlowAsync(bool isUp)
    {
        while (isUp ? Faults.IsStalledUp : Faults.IsStalledDown)
        {
            await Task.Delay(LookMs, _broken.Token);
        }
    }
}
