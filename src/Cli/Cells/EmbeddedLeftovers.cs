// SPDX-License-Identifier: Apache-2.0
using System;
using System.IO;
using System.Linq;
using Muster.Arena;
using Muster.Server;

namespace Muster.Cli.Cells;

/// <summary>
/// Removes what commands that were killed left of their embedded cells. Only kill -9 leaves anything, but each time
/// tens of megabytes of shared memory, which nothing else would ever give back.
/// </summary>
internal static class EmbeddedLeftovers
{
    private const string ArenaEnding = ".arena";

    /// <summary>A cell whose process lives, or that another command removes just now, is left alone.</summary>
    public static void Remove()
    {
        if (!Directory.Exists(ArenaFolder.Path))
        {
            return;
        }

        var cells = Directory
            .EnumerateFiles(ArenaFolder.Path, $"{EmbeddedCellName.Prefix}*{ArenaEnding}")
            .Select(path => Path.GetFileNameWithoutExtension(path))
            .Where(cell => EmbeddedCellName.TryParse(cell, out var process) && !IsAlive(process));
        foreach (var cell in cells.ToList())
        {
            RemoveCell(cell);
        }
    }

    private static bool IsAlive(int process) => Directory.Exists($"/proc/{process}");

    private static void RemoveCell(string cell)
    {
        // A refusal means that a process of another container, whose number says nothing here, holds the cell.
        if (!ArenaFile.Remove(cell).IsNone)
        {
            return;
        }

        try
        {
            Directory.Delete(CellPaths.RuntimeFolder(cell), recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
            // It was in another runtime folder, or another command was quicker.
        }
    }
}
