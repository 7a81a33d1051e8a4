// SPDX-License-Identifier: Apache-2.0
using System;
using System.IO;

namespace Muster.Cli.Cells;

/// <summary>The folder that relative names in commands and inputs mean.</summary>
internal static class WorkingFolder
{
    /// <summary>The folder that this process runs in.</summary>
    /// <exception cref="IOException">It was removed.</exception>
    public static string Current()
    {
        try
        {
            return Environment.CurrentDirectory;
        }
        catch (IOException gone)
        {
            throw new IOException("the working folder was removed; change to one that exists", gone);
        }
    }
}
