// SPDX-License-Identifier: Apache-2.0
namespace Muster.Arena.Native;

/// <summary>The errno values that this code tells apart; the same on every Linux processor that .NET runs on.</summary>
internal static class Errno
{
    public const int ENOENT = 2;
    public const int ESRCH = 3;
    public const int EINTR = 4;
    public const int EACCES = 13;
    public const int EBUSY = 16;
    public const int EEXIST = 17;
    public const int EWOULDBLOCK = 11;
    public const int ENOSPC = 28;
    public const int EDEADLK = 35;
    public const int ELOOP = 40;
    public const int ETIMEDOUT = 110;
    public const int EOWNERDEAD = 130;
}
