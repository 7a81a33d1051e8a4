// SPDX-License-Identifier: Apache-2.0
using System;
using System.Globalization;
using System.IO;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Muster.Arena.Native;
using Muster.Core;
using Muster.Core.Tasks;

namespace Muster.Arena;

/// <summary>
/// The last epoch that a cell has used, as text in STATE/epoch. It is on disk before the epoch is used, and never goes
/// back: task ids and attempts of different arenas differ because of it. The caller holds the cell's lock.
/// </summary>
internal static class CellEpoch
{
    private const string FileName = "epoch";
    private const int Mode0600 = 0x180;

    /// <summary>The last epoch recorded; 0 when none ever was.</summary>
    public static Fault Read(string stateFolder, out uint epoch)
    {
        epoch = 0;
        var path = Path.Combine(stateFolder, FileName);
        string text;
        try
        {
            text = File.ReadAllText(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return Fault.None;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Unusable(path, e.Message);
        }

        var valid = uint.TryParse(text.AsSpan().Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out epoch)
            && epoch is > 0 and <= Attempt.EpochMax;
        return valid
            ? Fault.None
            : new(
                FaultCode.StateFolderUnusable,
                $"{path} should hold a number from 1 to {Attempt.EpochMax} and does not; without it task ids could "
                + "repeat. Write into it a number above the last epoch that `muster arena inspect` ever showed");
    }

    /// <summary>Records the next epoch, above the last one and above <paramref name="seen"/>.</summary>
    public static Fault Advance(string stateFolder, uint seen, out uint epoch)
    {
        var fault = Read(stateFolder, out var last);
        epoch = uint.Max(last, seen) + 1;
        if (!fault.IsNone)
        {
            return fault;
        }

        return epoch <= Attempt.EpochMax
            ? Record(stateFolder, epoch)
            : new(
                FaultCode.EpochsUsedUp,
                $"this cell has used all its {Attempt.EpochMax} epochs; start a cell of another name, or, when no "
                + $"client remembers a task id of it, remove {Path.Combine(stateFolder, FileName)}");
    }

    /// <summary>Makes sure that an epoch in use is recorded, as when the state folder was lost meanwhile.</summary>
    public static Fault RecordAtLeast(string stateFolder, uint epoch)
    {
        var fault = Read(stateFolder, out var last);
        return fault.IsNone && last < epoch ? Record(stateFolder, epoch) : fault;
    }

    private static Fault Record(string stateFolder, uint epoch)
    {
        var path = Path.Combine(stateFolder, FileName);
        var fresh = path + ".new";
        try
        {
            if (Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(stateFolder)) is { Length: > 0 } parent)
            {
                Directory.CreateDirectory(parent);
            }

            // EEXIST is the usual answer; whatever else is wrong, making the file below says.
            _ = Mkdir.Private(stateFolder);
            File.Delete(fresh);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Unusable(path, e.Message);
        }

        var text = Encoding.ASCII.GetBytes(epoch.ToString(CultureInfo.InvariantCulture) + "\n");
        using (var file = Open.File(fresh, Open.O_CREAT | Open.O_EXCL | Open.O_RDWR, Mode0600, out var errno))
        {
            if (errno != 0 || (errno = Write(file, text)) != 0)
            {
                return Unusable(path, OsError.Words(errno));
            }
        }

        var moved = Rename.Move(fresh, path);
        if (moved != 0)
        {
            return Unusable(path, OsError.Words(moved));
        }

        // The dot lets the folder itself be a symbolic link, which is the user's own choice here.
        var folderPath = Path.Combine(stateFolder, ".");
        using var folder = Open.File(folderPath, Open.O_RDONLY | Open.O_DIRECTORY, 0, out var opened);
        var flushed = opened != 0 ? opened : Fsync.Flush(folder);
        return flushed == 0 ? Fault.None : Unusable(stateFolder, OsError.Words(flushed));
    }

    private static int Write(SafeFileHandle file, byte[] text)
    {
        try
        {
            RandomAccess.Write(file, text, fileOffset: 0);
        }
        catch (IOException)
        {
            // A full disk is the one expected cause.
            return Errno.ENOSPC;
        }

        return Fsync.Flush(file);
    }

    private static Fault Unusable(string path, string why) =>
        new(
            FaultCode.StateFolderUnusable,
            $"{path} cannot be written ({why}); the cell keeps its epoch there. Make the folder writable, or name "
            + "another one (MUSTER_STATE)");
}
