// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.IO;
using Muster.Arena;
using Muster.Arena.Tables;
using Muster.Core;
using Muster.Plm.Facts;

namespace Muster.Plm;

/// <content>
/// Profiles: what tasks that were submitted alike have in common. A slot names a row of the arena's table; the journal
/// has a fact for each row before the first one that names its number, told again after each begin of a snapshot,
/// because nothing before that is needed once the snapshot is complete; files of tasks on disk have the rows inside.
/// </content>
internal sealed partial class PlmCore
{
    // By row: which of its contents the journal was told since the last snapshot began; 0: none.
    private readonly uint[] _profileTold = new uint[ArenaLayout.ProfilesMax];

    private ProfileRow? _spilledProfileTold;

    // Of a replay: what each number means by now.
    private readonly Dictionary<uint, ProfileRow> _restoredProfiles = [];

    private ref readonly ProfileRow ProfileOf(in TaskSlot slot) => ref _profiles[slot.Profile];

    // The number under which the journal knows the row; told at its first use.
    private uint TellProfile(ushort index)
    {
        var version = _profiles.VersionOf(index);
        if (_profileTold[index] != version)
        {
            _profileTold[index] = version;
            WriteProfile(index, _profiles[index]);
        }

        return index;
    }

    // Of a task on disk, whose profile may have no row. All of them share one number.
    private uint TellSpilledProfile(in ProfileRow profile)
    {
        if (_spilledProfileTold is not { } told || !told.HasSameBytes(profile))
        {
            _spilledProfileTold = profile;
            WriteProfile(ArenaLayout.ProfilesMax, profile);
        }

        return ArenaLayout.ProfilesMax;
    }

    private void WriteProfile(uint number, in ProfileRow row)
    {
        _facts.Begin(FactKind.Profile);
        new ProfileFact
        {
            Number = number,
            HandlerUtf8 = _arena.Handlers.NameUtf8(row.Handler),
            Row = row,
        }.Write(_facts);
        _facts.End();
    }

    private void ForgetToldProfiles()
    {
        Array.Clear(_profileTold);
        _spilledProfileTold = null;
    }

    private void RestoreProfile(ProfileFact fact)
    {
        var fault = TaskRules.TryIntern(_arena, fact.HandlerUtf8, ref fact.Row);
        if (fault.IsNone)
        {
            _restoredProfiles[fact.Number] = fact.Row;
        }
        else
        {
            _restoreFault = fault;
        }
    }

    private bool TryFindRestored(uint number, out TaskSpec spec)
    {
        if (!_restoredProfiles.TryGetValue(number, out var row))
        {
            throw new InvalidDataException($"tasks with profile {number}, which was never told");
        }

        return TryIntern(row, out spec);
    }

    // Of what is on disk or in the journal, which must not be refused: it may use rows that submissions leave free.
    private bool TryIntern(in ProfileRow row, out TaskSpec spec)
    {
        spec = default;
        if (!_profiles.TryIntern(row, ArenaLayout.ProfilesMax, out var index))
        {
            return false;
        }

        spec = TaskSpec.Of(index, row);
        return true;
    }
}
