// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;

namespace Muster.Journal;

/// <summary>
/// The folder that a journal lives in. Failing is expected: every call gives 0 or an errno of Linux
/// (<see cref="JournalErrno"/>) and throws nothing. Names have no folders in them.
/// One thread at a time.
/// </summary>
internal interface IJournalDisk
{
    /// <summary>What a person would call the file.</summary>
    string PathOf(string name);

    /// <summary>Adds the names of the files that are there, in any order.</summary>
    int List(List<string> names);

    /// <summary>Opens a file that exists.</summary>
    int Open(string name, bool isWritable, out IJournalFile? file);

    /// <summary>Makes an empty file for writing; EEXIST when there is one of that name.</summary>
    int Create(string name, out IJournalFile? file);

    /// <summary>Gives a file another name, replacing what had it. Open files stay open.</summary>
    int Rename(string from, string to);

    int Delete(string name);

    /// <summary>Makes all creations, renames and deletions so far survive a power loss.</summary>
    int SyncFolder();

    /// <summary>Bytes that could still be taken from the disk.</summary>
    int FreeBytes(out long bytes);
}
