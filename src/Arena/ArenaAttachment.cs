// SPDX-License-Identifier: Apache-2.0
using System;
using System.IO;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Muster.Arena.Native;
using Muster.Core;

namespace Muster.Arena;

/// <summary>
/// What became of the try to attach an arena file. The header is read and judged as bytes, before anything is mapped,
/// for a file that is shorter than its mapping ends the process at the first touch.
/// </summary>
/// <param name="Outcome">What may be done about it.</param>
/// <param name="Fault">None when attached.</param>
internal readonly record struct ArenaAttachment(ArenaAttachment.Kind Outcome, Fault Fault)
{
    private const int Permissions0600 = 0x180;

    // A planted FIFO must not block the open.
    private const int O_NONBLOCK = 0x800;

    internal enum Kind
    {
        Attached,

        /// <summary>There is none.</summary>
        Missing,

        /// <summary>Ours, and of no use: may be moved aside when no role is alive.</summary>
        Unusable,

        /// <summary>Not made by us as we make them, or in use elsewhere: never touched.</summary>
        Refused,
    }

    /// <summary>Tries to attach a cell's arena.</summary>
    /// <param name="cell">A valid name.</param>
    /// <param name="readOnly">Maps it so that writing is impossible.</param>
    /// <param name="map">The arena, when attached.</param>
    /// <param name="epochSeen">The epoch of an unusable arena whose header is whole; 0 otherwise.</param>
    public static ArenaAttachment Try(string cell, bool readOnly, out ArenaMap? map, out uint epochSeen)
    {
        map = null;
        epochSeen = 0;
        var path = ArenaFolder.Arena(cell);
        var file = Open.File(path, (readOnly ? Open.O_RDONLY : Open.O_RDWR) | O_NONBLOCK, 0, out var errno);
        try
        {
            if (errno != 0)
            {
                return new(errno == Errno.ENOENT ? Kind.Missing : Kind.Refused, ArenaFolder.Refusal(path, errno));
            }

            var verdict = Judge(file, path, out var header, out epochSeen);
            if (verdict.Outcome == Kind.Attached)
            {
                var pages = MappedPages.TryMapFile(file, header.TotalBytes, readOnly, out errno);
                if (pages is null)
                {
                    return new(Kind.Refused, ArenaFolder.Unmappable(path, header.TotalBytes, errno));
                }

                map = new ArenaMap(new ArenaMemory(pages, readOnly) { File = file }, header.Limits, cell, file);
            }

            return verdict;
        }
        finally
        {
            if (map is null)
            {
                file.Dispose();
            }
        }
    }

    private static ArenaAttachment Judge(SafeFileHandle file, string path, out ArenaHeader header, out uint epochSeen)
    {
        header = default;
        epochSeen = 0;
        if (!Statx.TryOf(file, out var facts) || !facts.IsRegular || facts.Uid != User.Id
            || facts.Permissions != Permissions0600 || facts.Links != 1)
        {
            return new(Kind.Refused, new(FaultCode.ArenaOtherOwner, Describe(path, facts)));
        }

        Span<byte> bytes = stackalloc byte[ArenaHeader.SizeBytes];
        if (RandomAccess.Read(file, bytes, fileOffset: 0) < bytes.Length)
        {
            return Unusable(path, new(FaultCode.ArenaDamaged, $"it has only {facts.Bytes} bytes: truncated"));
        }

        header = MemoryMarshal.Read<ArenaHeader>(bytes);
        if (header.State is ArenaHeader.StateEmpty or ArenaHeader.StateInitialising)
        {
            return Unusable(path, new(FaultCode.ArenaDamaged, "its maker has not finished it"));
        }

        var fault = header.CheckFormat();
        if (!fault.IsNone)
        {
            return Unusable(path, fault);
        }

        epochSeen = header.Epoch;
        if (header.BootId != HostIdentity.BootId)
        {
            return Unusable(path, new(FaultCode.ArenaDamaged, "it is from before this machine's last start"));
        }

        if (header.PidNamespace != HostIdentity.PidNamespace)
        {
            return new(Kind.Refused, new(
                FaultCode.NamespaceMismatch,
                $"{path} belongs to processes in another pid namespace, where its locks mean other processes; run all "
                + "of the cell's roles in one container, or remove the file when nothing uses it any more"));
        }

        fault = header.CheckSizes(facts.Bytes);
        fault = fault.IsNone && header.State != ArenaHeader.StateReady
            ? new(FaultCode.ArenaDamaged, "it was retired")
            : fault;
        return fault.IsNone ? new(Kind.Attached, Fault.None) : Unusable(path, fault);
    }

    private static ArenaAttachment Unusable(string path, Fault why) =>
        new(Kind.Unusable, why with { Message = $"{path} cannot be used: {why.Message}" });

    private static string Describe(string path, in FileFacts facts) =>
        $"{path} must be a plain file of user {User.Id} with mode 0600 and one name; it is "
        + $"{(facts.IsRegular ? "a plain file" : "no plain file")} of user {facts.Uid} with mode "
        + $"{Convert.ToString(facts.Permissions, 8)}; names: {facts.Links}; find out who made it, and remove it";
}
