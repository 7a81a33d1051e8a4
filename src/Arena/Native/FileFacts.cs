// SPDX-License-Identifier: Apache-2.0
namespace Muster.Arena.Native;

/// <summary>What the kernel says of a file.</summary>
/// <param name="Mode">Type and permission bits.</param>
/// <param name="Uid">Owner.</param>
/// <param name="Links">Names that it has; 0 once removed.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Inode">With <paramref name="Device"/>: which file it is, whatever its name.</param>
/// <param name="Device">Major above minor number.</param>
internal readonly record struct FileFacts(
    ushort Mode, uint Uid, uint Links, long Bytes, ulong Inode, ulong Device)
{
    /// <summary>What it takes of the disk, or of memory: holes do not count.</summary>
    public long AllocatedBytes { get; init; }

    /// <summary>When the file itself was last changed: a name that was removed and made again may have the same number
    /// as before, but not at the same moment.</summary>
    public long ChangedUnixNs { get; init; }

    public bool IsRegular => (Mode & Statx.S_IFMT) == Statx.S_IFREG;

    public bool IsFolder => (Mode & Statx.S_IFMT) == Statx.S_IFDIR;

    public bool IsSymbolicLink => (Mode & Statx.S_IFMT) == Statx.S_IFLNK;

    public int Permissions => Mode & 0xFFF;

    public bool IsSameFile(in FileFacts other) => Inode == other.Inode && Device == other.Device;
}
