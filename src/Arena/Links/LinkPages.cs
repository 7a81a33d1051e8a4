// SPDX-License-Identifier: Apache-2.0
using System;
using Microsoft.Win32.SafeHandles;
using Muster.Arena.Locks;
using Muster.Arena.Native;

namespace Muster.Arena.Links;

/// <summary>
/// The shared memory of one link between two processes of a host: a ring for each direction, and a word for each end to
/// sleep on. The server makes it and hands it to the client over a Unix socket. All zero is its first state, so there
/// is nothing to initialise. Owner: one end; disposed when no thread can touch it any more.
/// </summary>
internal sealed class LinkPages : IDisposable
{
    /// <summary>Bytes of a ring. It stays in the processor's cache; what waits for longer waits before it.</summary>
    public const int RingBytes = 256 * 1024;

    private const long FileBytes = DataOffset + (2L * RingBytes);
    private const long DataOffset = 4096;
    private const long ToServerWords = 0;
    private const long ToClientWords = 256;
    private const long ServerWake = 512;
    private const long ClientWake = 576;
    private const long ServerLife = 640;
    private const long ClientLife = 704;

    private readonly ArenaMemory _memory;

    private LinkPages(MappedPages pages, bool isServer)
    {
        _memory = new ArenaMemory(pages, isReadOnly: false);
        var toServer = new ByteRing(_memory, ToServerWords, DataOffset, RingBytes);
        var toClient = new ByteRing(_memory, ToClientWords, DataOffset + RingBytes, RingBytes);
        var server = new WakeWord(_memory, ServerWake);
        var client = new WakeWord(_memory, ClientWake);
        (Incoming, Outgoing) = isServer ? (toServer, toClient) : (toClient, toServer);
        (Own, Peer) = isServer ? (server, client) : (client, server);
        Life = isServer
            ? new LifeSign(_memory, own: ServerLife, peer: ClientLife)
            : new LifeSign(_memory, own: ClientLife, peer: ServerLife);
    }

    /// <summary>What the other end writes.</summary>
    public ByteRing Incoming { get; }

    /// <summary>What this end writes.</summary>
    public ByteRing Outgoing { get; }

    /// <summary>Where this end sleeps.</summary>
    public WakeWord Own { get; }

    /// <summary>Where the other end sleeps.</summary>
    public WakeWord Peer { get; }

    /// <summary>Whether both ends run.</summary>
    public LifeSign Life { get; }

    /// <summary>New memory for the server's end, and the file to hand to the client.</summary>
    /// <returns>Null when the host has no memory or descriptors left for it.</returns>
    public static LinkPages? TryCreate(out SafeFileHandle? file)
    {
        if (SharedFile.Create(FileBytes, out file) != 0)
        {
            return null;
        }

        if (MappedPages.TryMapFile(file!, FileBytes, false, out _) is { } pages)
        {
            return new(pages, isServer: true);
        }

        file!.Dispose();
        file = null;
        return null;
    }

    /// <summary>The client's end of memory that a server handed over.</summary>
    /// <returns>Null when it is not what a server makes.</returns>
    public static LinkPages? TryOpen(SafeFileHandle file) =>
        Statx.TryOf(file, out var facts)
        && facts.Bytes == FileBytes
        && SharedFile.IsSealed(file)
        && MappedPages.TryMapFile(file, FileBytes, false, out _) is { } pages
            ? new(pages, isServer: false)
            : null;

    public void Dispose() => _memory.Dispose();
}
