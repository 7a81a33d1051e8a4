// SPDX-License-Identifier: Apache-2.0
using System;
using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Threading;
using Microsoft.Win32.SafeHandles;

namespace Muster.Arena.Native;

/// <summary>Pages mapped into this process; disposing unmaps them.</summary>
internal sealed unsafe class MappedPages : SafeHandleZeroOrMinusOneIsInvalid
{
    private const long PopulateStepBytes = 1L << 20;

    private MappedPages(nint address, long length)
        : base(ownsHandle: true)
    {
        SetHandle(address);
        Length = length;
    }

    public long Length { get; }

    public byte* Base => (byte*)handle;

    /// <summary>Zeroed pages that no file backs.</summary>
    public static MappedPages MapPrivate(long length)
    {
        var address = Mmap.mmap(
            0, (nuint)length, Mmap.PROT_READ | Mmap.PROT_WRITE, Mmap.MAP_SHARED | Mmap.MAP_ANONYMOUS, -1, 0);
        return address == Mmap.MAP_FAILED
            ? throw new Win32Exception(Marshal.GetLastPInvokeError())
            : new MappedPages(address, length);
    }

    /// <summary>
    /// Maps the first <paramref name="length"/> bytes of a file, shared with all who map it; null and an errno when the
    /// process has no address space or locks left for it.
    /// </summary>
    public static MappedPages? TryMapFile(SafeFileHandle file, long length, bool readOnly, out int errno)
    {
        var access = readOnly ? Mmap.PROT_READ : Mmap.PROT_READ | Mmap.PROT_WRITE;
        var address = Mmap.mmap(
            0, (nuint)length, access, Mmap.MAP_SHARED, (int)file.DangerousGetHandle(), 0);
        errno = address == Mmap.MAP_FAILED ? Marshal.GetLastPInvokeError() : 0;
        GC.KeepAlive(file);
        return errno == 0 ? new MappedPages(address, length) : null;
    }

    /// <summary>
    /// Makes the first pages present in this process, on a thread of lowest priority that ends by itself: a first touch
    /// costs 2.4 us a page in a new arena (the kernel zeroes it then) and 0.2 us in one that others use. Contents are
    /// not changed. Disposing meanwhile is safe; it takes effect within some milliseconds.
    /// </summary>
    public void PopulateInBackground(long bytes)
    {
        var added = false;
        DangerousAddRef(ref added);
        var thread = new Thread(() => Populate(bytes))
        {
            IsBackground = true,
            Name = "muster-pretouch",
            Priority = ThreadPriority.Lowest,
        };
        thread.Start();
    }

    private void Populate(long bytes)
    {
        try
        {
            for (var offset = 0L; offset < bytes && !IsClosed; offset += PopulateStepBytes)
            {
                var step = (nuint)Math.Min(PopulateStepBytes, bytes - offset);
                if (Mmap.madvise(handle + (nint)offset, step, Mmap.MADV_POPULATE_WRITE) != 0)
                {
                    // Kernels before 5.14 do not know it; the pages come at their first touch then.
                    break;
                }
            }
        }
        finally
        {
            DangerousRelease();
        }
    }

    protected override bool ReleaseHandle() => Mmap.munmap(handle, (nuint)Length) == 0;
}
