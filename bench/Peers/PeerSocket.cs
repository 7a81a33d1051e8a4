// SPDX-License-Identifier: Apache-2.0
using System;
using System.IO;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Muster.Peers;

/// <summary>
/// A blocking connection to a peer's server with a buffer each way: what is put goes out at the flush, or when the
/// buffer is full. For one thread.
/// </summary>
internal sealed class PeerSocket : IDisposable
{
    private const int BufferBytes = 1 << 20;

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
    {
        NoDelay = true,
    };

    private readonly byte[] _in = new byte[BufferBytes];
    private readonly byte[] _out = new byte[BufferBytes];
    private int _begin;
    private int _end;
    private int _put;

    public PeerSocket(int port) => _socket.Connect(IPAddress.Loopback, port);

    /// <summary>Whether something was received and not taken yet.</summary>
    public bool HasMore => _begin < _end;

    public void Put(ReadOnlySpan<byte> bytes)
    {
        if (_put + bytes.Length > _out.Length)
        {
            Flush();
        }

        bytes.CopyTo(_out.AsSpan(_put));
        _put += bytes.Length;
    }

    public void Put(string text)
    {
        Span<byte> bytes = stackalloc byte[256];
        Put(bytes[..Encoding.ASCII.GetBytes(text, bytes)]);
    }

    public void Flush()
    {
        for (var at = 0; at < _put;)
        {
            at += _socket.Send(_out.AsSpan(at, _put - at));
        }

        _put = 0;
    }

    /// <summary>Waits for so many bytes; they stay valid until the next take.</summary>
    public ReadOnlySpan<byte> Take(int count)
    {
        while (_end - _begin < count)
        {
            Fill();
        }

        _begin += count;
        return _in.AsSpan(_begin - count, count);
    }

    /// <summary>Waits for a line and returns it without its end; it stays valid until the next take.</summary>
    public ReadOnlySpan<byte> TakeLine()
    {
        while (true)
        {
            var length = _in.AsSpan(_begin, _end - _begin).IndexOf("\r\n"u8);
            if (length >= 0)
            {
                return Take(length + 2)[..length];
            }

            Fill();
        }
    }

    public void Dispose() => _socket.Dispose();

    private void Fill()
    {
        if (_begin == _end)
        {
            _begin = _end = 0;
        }
        else if (_end == _in.Length)
        {
            _in.AsSpan(_begin, _end - _begin).CopyTo(_in);
            (_begin, _end) = (0, _end - _begin);
        }

        var count = _socket.Receive(_in.AsSpan(_end));
        _end += count > 0 ? count : throw new EndOfStreamException("the peer's server closed the connection");
    }
}
