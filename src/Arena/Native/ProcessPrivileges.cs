// SPDX-License-Identifier: Apache-2.0
using System;
using System.Globalization;
using System.IO;
using System.Runtime.InteropServices;

namespace Muster.Arena.Native;

/// <summary>prctl(2), lchown(2), chmod(2): what this process may do, and what it lets others do to it.</summary>
internal static unsafe partial class ProcessPrivileges
{
    private const int CAP_SETPCAP = 8;
    private const int PR_SET_DUMPABLE = 4;
    private const int PR_CAPBSET_READ = 23;
    private const int PR_SET_CHILD_SUBREAPER = 36;

    /// <summary>
    /// The capabilities that this process can take from a child's bounding set are 0 to this; -1: it may take none.
    /// </summary>
    public static int LastDroppableCapability()
    {
        const string label = "CapEff:";
        var status = File.ReadAllText("/proc/self/status");
        var text = status.AsSpan(status.IndexOf(label, StringComparison.Ordinal) + label.Length);
        var effective = ulong.Parse(text[..text.IndexOf('\n')].Trim(), NumberStyles.HexNumber, null);
        if ((effective & (1UL << CAP_SETPCAP)) == 0)
        {
            return -1;
        }

        var last = -1;
        while (prctl(PR_CAPBSET_READ, (nuint)(last + 1), 0, 0, 0) >= 0)
        {
            last++;
        }

        return last;
    }

    /// <summary>
    /// Nobody without the capability to trace may look into this process's memory, environment or descriptors, and it
    /// leaves no core dump.
    /// </summary>
    public static void HideFromOthers() => _ = prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);

    /// <summary>Processes below this one whose parent ends become its children instead of init's.</summary>
    public static bool AdoptOrphans() => prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0;

    /// <summary>Gives a file or folder to another user, as far as this process may.</summary>
    /// <returns>0 or errno.</returns>
    public static int Give(string path, uint uid, uint gid) =>
        lchown(path, uid, gid) == 0 ? 0 : Marshal.GetLastPInvokeError();

    /// <summary>Sets the permission bits of a file or folder.</summary>
    /// <returns>0 or errno.</returns>
    public static int Permit(string path, int mode) =>
        chmod(path, (uint)mode) == 0 ? 0 : Marshal.GetLastPInvokeError();

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int chmod(string path, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int prctl(int option, nuint arg2, nuint arg3, nuint arg4, nuint arg5);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int lchown(string path, uint owner, uint group);
}
