// SPDX-License-Identifier: Apache-2.0
using Muster.Core;

namespace Muster.Journal;

/// <summary>The sentences for what can be wrong with a journal.</summary>
internal static class JournalFaults
{
    public const uint RetryAfterMs = 1_000;

    private const string WhatNow =
        "; no PLM starts on a damaged journal. Put the file back from a copy if you have one; "
        + "'muster journal repair --dry-run' says what else could be kept";

    public static Fault DiskFull(string folder) => new(
        FaultCode.DiskFull,
        $"the disk of {folder} has no room for another segment of the journal; nothing new is accepted until there is, "
        + "while results of accepted tasks are still recorded. Free space on it",
        RetryAfterMs);

    public static Fault NoSpare(string folder, int errno) => new(
        FaultCode.DiskFull,
        $"no further segment of the journal can be made in {folder} ({OsError.Words(errno)}); nothing new is accepted "
        + "until one can, while results of accepted tasks are still recorded. Look after the disk",
        RetryAfterMs);

    public static Fault Behind(string folder) => new(
        FaultCode.JournalBehind,
        $"the disk of {folder} does not keep up with what is submitted; try again soon",
        RetryAfterMs: 100);

    public static Fault Damaged(string path, long offset, string what) =>
        new(FaultCode.JournalDamaged, $"{path} at offset {offset}: {what}{WhatNow}");

    public static Fault Version(string path, uint version) => new(
        FaultCode.JournalVersion,
        $"{path} was written in format version {version}, and this program knows {JournalFormat.Version}; start the "
        + "version of Muster that wrote it");

    public static Fault Unusable(string path, string doing, int errno) => new(
        FaultCode.JournalUnusable,
        $"{path}: {doing} failed: {OsError.Words(errno)}; look after the folder and its disk");

    public static Fault Failed(string path, string doing, int errno) => new(
        FaultCode.JournalFailed,
        $"{path}: {doing} failed: {OsError.Words(errno)}; what the disk holds is unknown, so nothing more is "
        + "acknowledged and the process ends. Look after the disk, then start again");

    public static Fault Overrun(string folder, long bytes) => new(
        FaultCode.JournalFailed,
        $"{bytes} bytes wait for the journal in {folder}, the most that may; its disk is full or stuck");
}
