// SPDX-License-Identifier: Apache-2.0
using System;
using System.IO;
using Muster.Arena.Native;

namespace Muster.Server;

/// <summary>Where the files of a cell are when nobody chose other places.</summary>
internal static class CellPaths
{
    /// <summary>
    /// The socket that serves whoever comes first: the Register's, which knows the way to the others.
    /// </summary>
    public const string FrontDoor = "register.sock";

    /// <summary>$XDG_RUNTIME_DIR/muster/CELL, else /tmp/muster-UID/CELL: sockets, gone with the next boot.</summary>
    public static string RuntimeFolder(string cell) =>
        Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") is { Length: > 0 } folder
            && Path.IsPathFullyQualified(folder)
            ? Path.Combine(folder, "muster", cell)
            : $"/tmp/muster-{User.Id}/{cell}";

    /// <summary>
    /// $XDG_STATE_HOME/muster/CELL, else ~/.local/state/muster/CELL: the cell's epoch, kept across boots.
    /// </summary>
    public static string StateFolder(string cell)
    {
        var home = Environment.GetEnvironmentVariable("XDG_STATE_HOME") is { Length: > 0 } folder
            && Path.IsPathFullyQualified(folder)
                ? folder
                : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local", "state");
        return Path.Combine(home, "muster", cell);
    }

    /// <summary>The one address that clients and workers need to know.</summary>
    public static string Address(string runtimeFolder) => "unix:" + Path.Combine(runtimeFolder, FrontDoor);
}
