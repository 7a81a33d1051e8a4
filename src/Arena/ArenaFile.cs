// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Core;

namespace Muster.Arena;

/// <summary>
/// Makes, finds and refuses arena files. They live in /dev/shm/muster-UID/ (mode 0700) as CELL.arena (mode 0600), made
/// with O_EXCL, opened with O_NOFOLLOW, checked by owner, mode, links, size, header and boot id before they are used.
/// </summary>
internal static class ArenaFile
{
    /// <summary>The path of a cell's arena.</summary>
    public static string PathOf(string cell) => throw new NotImplementedException();

    /// <summary>
    /// Attaches the cell's arena, or makes it when there is none or when the one there cannot be used (other boot,
    /// damaged, other layout: renamed aside, and the caller is told through <paramref name="note"/>). Never follows a
    /// symbolic link, never uses a file of another user.
    /// </summary>
    /// <param name="cell">1 to 32 characters of [a-z0-9-].</param>
    /// <param name="limits">Sizes for a new arena; an existing one keeps its own.</param>
    /// <param name="stateFolder">Keeps the cell's epoch across arenas; null for a cell that dies with its process.</param>
    /// <param name="map">The arena; null when refused.</param>
    /// <param name="note">What a person should know: made anew and why; empty otherwise.</param>
    public static Fault OpenOrCreate(
        string cell, ArenaLimits limits, string? stateFolder, out ArenaMap? map, out string note) =>
        throw new NotImplementedException();

    /// <summary>Attaches an existing arena, read-only or not; never makes or moves one.</summary>
    public static Fault Attach(string cell, bool readOnly, out ArenaMap? map) => throw new NotImplementedException();

    /// <summary>An arena in memory of this process alone, without a file: for embedded cells' tests and simulation.</summary>
    public static ArenaMap CreatePrivate(ArenaLimits limits, uint epoch = 1) => throw new NotImplementedException();

    /// <summary>Removes the file of a cell whose processes have all ended; for embedded cells.</summary>
    public static void Remove(string cell) => throw new NotImplementedException();
}
