// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using Muster.Arena.Tables;

namespace Muster.Plm.Spill;

/// <summary>
/// The profiles of one body while its records are read in order: a record has the definition of a profile that none
/// before it had. Used again for the next body; inside turns only.
/// </summary>
internal sealed class SpillProfiles
{
    private readonly List<ProfileRow> _rows = [];

    public void Clear() => _rows.Clear();

    /// <summary>What the record's profile says; valid until the next call.</summary>
    /// <exception cref="SpillDamagedException">The body is not what was written.</exception>
    public ref readonly ProfileRow Of(in SpillRecord record)
    {
        if (record.Definition.Length == ProfileRow.SizeBytes && record.Profile == _rows.Count)
        {
            _rows.Add(MemoryMarshal.Read<ProfileRow>(record.Definition));
        }

        if (record.Profile >= _rows.Count)
        {
            throw new SpillDamagedException(
                $"a task on disk has profile {record.Profile}, and its file has {_rows.Count}");
        }

        return ref CollectionsMarshal.AsSpan(_rows)[(int)record.Profile];
    }
}
