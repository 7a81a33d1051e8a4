// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers.Binary;
using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Muster.Arena.Native;

/// <summary>
/// epoll(7) and an eventfd(2) that wakes its waiter. One thread waits; any thread adds, removes and wakes. Closing a
/// descriptor that nobody else holds removes it.
/// </summary>
internal sealed unsafe partial class SpawnEpoll : IDisposable
{
    public const uint EPOLLIN = 0x001;
    public const uint EPOLLOUT = 0x004;
    public const uint EPOLLERR = 0x008;
    public const uint EPOLLHUP = 0x010;

    /// <summary>The tag of the events that <see cref="Wake"/> makes; they are not reported.</summary>
    public const ulong WakeTag = ulong.MaxValue;

    private const int EPOLL_CLOEXEC = 0x80000;
    private const int EPOLL_CTL_ADD = 1;
    private const int EPOLL_CTL_DEL = 2;
    private const int EPOLL_CTL_MOD = 3;
    private const int EFD_CLOEXEC = 0x80000;
    private const int EFD_NONBLOCK = 0x800;
    private const int EventsMax = 256;

    // struct epoll_event is packed on x86 alone.
    private static readonly int s_eventBytes =
        RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.X86 ? 12 : 16;

    private readonly SafeFileHandle _epoll;
    private readonly SafeFileHandle _wake;
    private readonly byte[] _raw = new byte[EventsMax * 16];

    public SpawnEpoll()
    {
        _epoll = Own(epoll_create1(EPOLL_CLOEXEC));
        _wake = Own(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
        var error = Add(_wake, EPOLLIN, WakeTag);
        if (error != 0)
        {
            throw new Win32Exception(error);
        }
    }

    /// <summary>Watches a descriptor, level-triggered.</summary>
    /// <returns>0 or errno.</returns>
    public int Add(SafeHandle file, uint events, ulong tag) => Control(EPOLL_CTL_ADD, file, events, tag);

    /// <summary>Watches it for other events.</summary>
    /// <returns>0 or errno.</returns>
    public int Change(SafeHandle file, uint events, ulong tag) => Control(EPOLL_CTL_MOD, file, events, tag);

    /// <summary>Ends the watch.</summary>
    /// <returns>0 or errno.</returns>
    public int Remove(SafeHandle file) => Control(EPOLL_CTL_DEL, file, 0, 0);

    /// <summary>Makes the waiter return, now or at its next wait.</summary>
    public void Wake()
    {
        Span<byte> one = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(one, 1);

        // It fails only when the count is full: then the waiter has been woken already.
        _ = SpawnPipe.Write(_wake, one);
    }

    /// <summary>Waits for events.</summary>
    /// <param name="events">Takes them.</param>
    /// <param name="timeoutMs">-1: for ever.</param>
    /// <returns>How many there are; 0 after a wake, an interruption or the time.</returns>
    public int Wait(Span<SpawnEvent> events, int timeoutMs)
    {
        int count;
        fixed (byte* raw = _raw)
        {
            count = epoll_wait(_epoll, raw, Math.Min(events.Length, EventsMax), timeoutMs);
        }

        var reported = 0;
        Span<byte> sum = stackalloc byte[8];
        for (var index = 0; index < count; index++)
        {
            var raw = _raw.AsSpan(index * s_eventBytes, s_eventBytes);
            var tag = BinaryPrimitives.ReadUInt64LittleEndian(raw[(s_eventBytes - 8)..]);
            if (tag == WakeTag)
            {
                _ = SpawnPipe.Read(_wake, sum);
                continue;
            }

            events[reported++] = new(tag, BinaryPrimitives.ReadUInt32LittleEndian(raw));
        }

        return reported;
    }

    public void Dispose()
    {
        _epoll.Dispose();
        _wake.Dispose();
    }

    private static SafeFileHandle Own(int descriptor) => descriptor >= 0
        ? new SafeFileHandle(descriptor, ownsHandle: true)
        : throw new Win32Exception(Marshal.GetLastPInvokeError());

    private int Control(int operation, SafeHandle file, uint events, ulong tag)
    {
        var entry = stackalloc byte[16];
        var span = new Span<byte>(entry, s_eventBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(span, events);
        BinaryPrimitives.WriteUInt64LittleEndian(span[(s_eventBytes - 8)..], tag);
        return epoll_ctl(_epoll, operation, file, entry) == 0 ? 0 : Marshal.GetLastPInvokeError();
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_create1(int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int eventfd(uint initval, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_ctl(SafeFileHandle epfd, int op, SafeHandle fd, byte* @event);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_wait(SafeFileHandle epfd, byte* events, int maxevents, int timeout);
}
