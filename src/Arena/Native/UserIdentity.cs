// SPDX-License-Identifier: Apache-2.0
using System;
using System.Runtime.InteropServices;
using System.Text;

namespace Muster.Arena.Native;

/// <summary>getpwnam_r(3), getgrouplist(3): a user of this host, with the groups that a login gives.</summary>
/// <param name="Name">As in the user database.</param>
/// <param name="Uid">Never that of root.</param>
/// <param name="Gid">The first group.</param>
/// <param name="Groups">All groups.</param>
/// <param name="Home">The home folder.</param>
internal sealed unsafe partial record UserIdentity(string Name, uint Uid, uint Gid, uint[] Groups, string Home)
{
    private const int TextBytes = 16 * 1024;
    private const int GroupsMax = 1_024;

    /// <summary>Looks a user up by name; null when there is none.</summary>
    public static UserIdentity? Find(string name)
    {
        var text = stackalloc byte[TextBytes];
        Passwd entry = default;
        Passwd* found = null;
        if (getpwnam_r(name, &entry, text, TextBytes, &found) != 0 || found == null)
        {
            return null;
        }

        var groups = stackalloc uint[GroupsMax];
        var count = GroupsMax;
        var home = Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(entry.Home));
        return getgrouplist(name, entry.Gid, groups, &count) < 0
            ? null
            : new(name, entry.Uid, entry.Gid, new ReadOnlySpan<uint>(groups, count).ToArray(), home);
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int getpwnam_r(string name, Passwd* pwd, byte* buf, nuint buflen, Passwd** result);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int getgrouplist(string user, uint group, uint* groups, int* ngroups);

    [StructLayout(LayoutKind.Sequential)]
    private struct Passwd
    {
        public byte* Name;
        public byte* Password;
        public uint Uid;
        public uint Gid;
        public byte* Gecos;
        public byte* Home;
        public byte* Shell;
    }
}
