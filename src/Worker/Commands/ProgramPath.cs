// SPDX-License-Identifier: Apache-2.0
using System;
using System.IO;
using System.Runtime.InteropServices;
using Muster.Arena.Native;
using Muster.Core;

namespace Muster.Worker.Commands;

/// <summary>
/// Finds a command's program in the PATH that the command itself will have (posix_spawnp(3) would use the worker's),
/// and turns the errno of a failed start into a code: the kernel has one ENOENT for three different mistakes.
/// </summary>
internal static class ProgramPath
{
    private const int ENOENT = 2;
    private const int E2BIG = 7;
    private const int ENOEXEC = 8;
    private const int EACCES = 13;
    private const int ENOTDIR = 20;
    private const int EISDIR = 21;
    private const int ETXTBSY = 26;
    private const int ENAMETOOLONG = 36;
    private const int ELOOP = 40;
    private const int ELIBBAD = 80;

    /// <summary>The path to start, absolute or relative to the command's folder.</summary>
    public static Fault Find(CommandRequest request, out string path)
    {
        path = request.Program;
        if (path.Contains('/', StringComparison.Ordinal))
        {
            return Fault.None;
        }

        var blocked = "";
        foreach (var range in request.SearchPath.AsSpan().Split(':'))
        {
            // An empty entry means the current folder: that of the command, not of the worker.
            var folder = request.SearchPath[range];
            var candidate = folder.Length == 0 ? $"./{path}" : $"{folder}/{path}";
            var place = InFolder(request.Folder, candidate);
            if (!File.Exists(place))
            {
                continue;
            }

            if (SpawnFiles.MayExecute(place))
            {
                path = candidate;
                return Fault.None;
            }

            blocked = place;
        }

        if (request.Folder is { } own && !Directory.Exists(own))
        {
            return FolderMissing(own);
        }

        return blocked.Length > 0
            ? new(FaultCode.CommandNotExecutable, $"'{blocked}' may not be executed by this worker")
            : new(FaultCode.CommandNotFound, $"'{path}' is in no folder of PATH ({request.SearchPath})");
    }

    /// <summary>Why a start failed.</summary>
    public static Fault Explain(int error, CommandRequest request, string path)
    {
        if (request.Folder is { } folder)
        {
            if (!Directory.Exists(folder))
            {
                return FolderMissing(folder);
            }

            if (!SpawnFiles.MayExecute(folder))
            {
                return new(FaultCode.CommandFolderMissing, $"this worker may not enter the working folder '{folder}'");
            }
        }

        var place = InFolder(request.Folder, path);
        return error switch
        {
            ENOENT when File.Exists(place) => new(
                FaultCode.CommandNotExecutable, $"'{place}' names an interpreter or loader that does not exist"),
            ENOENT or ENOTDIR or ENAMETOOLONG or ELOOP => new(
                FaultCode.CommandNotFound, $"there is no program '{place}' on this worker"),
            EACCES or EISDIR when Directory.Exists(place) => new(
                FaultCode.CommandNotExecutable, $"'{place}' is a folder, not a program"),
            EACCES => new(FaultCode.CommandNotExecutable, $"'{place}' may not be executed by this worker"),
            ENOEXEC or ELIBBAD or ETXTBSY => new(
                FaultCode.CommandNotExecutable, $"'{place}' cannot be run here: {Text(error)}"),
            E2BIG => new(
                FaultCode.CommandInvalid, "arguments and environment together are larger than the system takes"),
            _ => new(FaultCode.SpawnFailed, $"'{place}' could not be started: {Text(error)}"),
        };
    }

    /// <summary>The system's own words for an errno.</summary>
    public static string Text(int error) => Marshal.GetPInvokeErrorMessage(error);

    private static Fault FolderMissing(string folder) => new(
        FaultCode.CommandFolderMissing, $"the working folder '{folder}' does not exist on this worker");

    private static string InFolder(string? folder, string path) =>
        folder is null || path.StartsWith('/') ? path : $"{folder}/{path}";
}
