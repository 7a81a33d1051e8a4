// SPDX-License-Identifier: Apache-2.0
namespace Muster.Arena.Native;

/// <summary>A limit of getrlimit(2) that a started program gets.</summary>
/// <param name="Resource">RLIMIT_ constant.</param>
/// <param name="Soft">What holds.</param>
/// <param name="Hard">What the program may raise it to.</param>
internal readonly record struct SpawnLimit(int Resource, ulong Soft, ulong Hard)
{
    public const int RLIMIT_FSIZE = 1;
    public const int RLIMIT_CORE = 4;
    public const int RLIMIT_NPROC = 6;
    public const int RLIMIT_NOFILE = 7;
}
