// SPDX-License-Identifier: Apache-2.0
namespace Muster.Journal;

/// <summary>The errno values that a journal tells apart, or that a disk of our own making gives.</summary>
internal static class JournalErrno
{
    public const int ENOENT = 2;
    public const int EINTR = 4;
    public const int EIO = 5;
    public const int EEXIST = 17;
    public const int ENOSPC = 28;
    public const int EDQUOT = 122;

    /// <summary>Whether the disk is full, for everybody or for this user.</summary>
    public static bool IsFull(int errno) => errno is ENOSPC or EDQUOT;
}
