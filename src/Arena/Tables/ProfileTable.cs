// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Runtime.CompilerServices;
using Muster.Core;

namespace Muster.Arena.Tables;

/// <summary>
/// The sets of options that tasks have, each stored once: 4,096 rows of 512 bytes. A slot names its row by index. The
/// PLM alone writes rows; the others read the row of a slot that they hold an attempt of.
/// <para>Protocol:</para>
/// <list type="bullet">
/// <item>A row is whole before a slot that names it leaves Free; the slot's step publishes both. It stays as it is
/// until the last slot that names it is Free again, and may then be another's at any moment. So whoever reads a row
/// checks the slot's state word before and after, or can bear a row that is another's.</item>
/// <item>How often a row is named is counted in the PLM's memory and rebuilt from the slots by <see cref="Rebuild"/>:
/// nothing in the arena says that a row is in use, so nothing of it can be half-written.</item>
/// <item>Rows that nobody names keep what they say, for whoever submits with the same options next, and are used again
/// in the order in which they fell idle.</item>
/// </list>
/// Full: <see cref="TryIntern"/> says so, and the submission is refused. Submissions leave a quarter of the rows free
/// for what comes back from disk and journal, which must not fail. All but the indexer is for the PLM's turns.
/// </summary>
internal sealed unsafe class ProfileTable
{
    /// <summary>Rows that new submissions may fill.</summary>
    public const int SubmittedMax = ArenaLayout.ProfilesMax / 4 * 3;

    // Never read: it keeps the pages under the pointers mapped for as long as this object lives.
    private readonly ArenaMemory _memory;
    private readonly ProfileRow* _rows;

    // The PLM's own, by row: slots that name it, its hash, whether the hash finds it, whether it is among the idle
    // ones.
    private int[] _named = [];
    private ulong[] _hashes = [];
    private bool[] _isListed = [];
    private bool[] _isIdle = [];
    private uint[] _versions = [];
    private readonly Dictionary<ulong, ushort> _byHash = [];
    private readonly Queue<ushort> _idle = new();
    private int _used;

    internal ProfileTable(ArenaMemory memory, long offset)
    {
        Invariant.That(sizeof(ProfileRow) == ArenaLayout.ProfileRowBytes);
        Invariant.That(ArenaLayout.ProfilesMax <= ushort.MaxValue + 1);
        _memory = memory;
        _rows = (ProfileRow*)memory.At(offset, (long)ArenaLayout.ProfilesMax * sizeof(ProfileRow));
    }

    /// <summary>Rows that slots name now.</summary>
    public int Count { get; private set; }

    /// <summary>The row, in shared memory. The index is checked.</summary>
    public ref readonly ProfileRow this[ushort index]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            Invariant.That(index < ArenaLayout.ProfilesMax);
            return ref _rows[index];
        }
    }

    /// <summary>Counts anew how often slots name each row. The first call of a PLM that took over.</summary>
    public void Rebuild(TaskTable tasks)
    {
        Prepare();
        _byHash.Clear();
        _idle.Clear();
        _used = 0;
        Count = 0;
        for (uint slot = 0; slot < tasks.HighWater; slot++)
        {
            if (tasks.Read(slot).State != Core.Tasks.TaskState.Free)
            {
                Invariant.That(tasks[slot].Profile < ArenaLayout.ProfilesMax);
                _used = int.Max(_used, tasks[slot].Profile + 1);
                Hold(tasks[slot].Profile);
            }
        }

        for (var index = 0; index < _used; index++)
        {
            if (_named[index] > 0)
            {
                List((ushort)index);
            }
            else
            {
                // What it says may be half-written.
                _isIdle[index] = true;
                _idle.Enqueue((ushort)index);
            }
        }
    }

    /// <summary>
    /// The index of a row that says this, added when there is none. The row stays until the next call, or for as long
    /// as it is held. False: no row is free.
    /// </summary>
    public bool TryIntern(in ProfileRow content, int rowsMax, out ushort index)
    {
        if (_named.Length == 0)
        {
            Prepare();
        }

        var hash = content.Hash();
        while (_byHash.TryGetValue(hash, out index))
        {
            if (_rows[index].HasSameBytes(in content))
            {
                return true;
            }

            hash++;
        }

        if (!TryTakeRow(rowsMax, out index))
        {
            return false;
        }

        _rows[index] = content;
        _versions[index]++;
        _hashes[index] = hash;
        _isListed[index] = true;
        _byHash.Add(hash, index);

        // Nobody names it yet; it is the last to be taken for another.
        _isIdle[index] = true;
        _idle.Enqueue(index);
        return true;
    }

    /// <summary>Counts what the row has said, for this process; never 0.</summary>
    public uint VersionOf(ushort index) => _versions[index] + 1;

    /// <summary>A slot names the row from now on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Hold(ushort index)
    {
        if (_named[index]++ == 0)
        {
            Count++;
        }
    }

    /// <summary>A slot that named the row is free.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Drop(ushort index)
    {
        Invariant.That(_named[index] > 0);
        if (--_named[index] == 0)
        {
            Count--;
            if (!_isIdle[index])
            {
                _isIdle[index] = true;
                _idle.Enqueue(index);
            }
        }
    }

    /// <summary>Compares the counts with the slots; for tests and inspection.</summary>
    public void CheckInvariants(TaskTable tasks)
    {
        var named = new int[ArenaLayout.ProfilesMax];
        for (uint slot = 0; slot < tasks.HighWater; slot++)
        {
            if (tasks.Read(slot).State != Core.Tasks.TaskState.Free)
            {
                named[tasks[slot].Profile]++;
            }
        }

        var count = 0;
        for (var index = 0; index < named.Length && _named.Length > 0; index++)
        {
            Invariant.That(named[index] == _named[index]);
            Invariant.That(named[index] == 0 || index < _used);
            Invariant.That(named[index] > 0 || index >= _used || _isIdle[index]);
            count += named[index] > 0 ? 1 : 0;
        }

        Invariant.That(count == Count && _idle.Count <= _used);
    }

    private void Prepare()
    {
        _named = new int[ArenaLayout.ProfilesMax];
        _hashes = new ulong[ArenaLayout.ProfilesMax];
        _isListed = new bool[ArenaLayout.ProfilesMax];
        _isIdle = new bool[ArenaLayout.ProfilesMax];
        _versions = new uint[ArenaLayout.ProfilesMax];
    }

    // Two rows may have come to say the same: the hash finds one of them.
    private void List(ushort index)
    {
        var hash = _rows[index].Hash();
        while (_byHash.ContainsKey(hash))
        {
            hash++;
        }

        _hashes[index] = hash;
        _isListed[index] = true;
        _byHash.Add(hash, index);
    }

    private bool TryTakeRow(int rowsMax, out ushort index)
    {
        index = 0;
        if (Count >= rowsMax)
        {
            return false;
        }

        if (_used < rowsMax)
        {
            index = (ushort)_used++;
            return true;
        }

        while (_idle.TryDequeue(out index))
        {
            _isIdle[index] = false;

            // Else it has been named again since it fell idle.
            if (_named[index] == 0)
            {
                Unlist(index);
                return true;
            }
        }

        return false;
    }

    // A gap behind it in a run of equal hashes only costs that what follows is not found, and is added once more.
    private void Unlist(ushort index)
    {
        if (_isListed[index])
        {
            _byHash.Remove(_hashes[index]);
            _isListed[index] = false;
        }
    }
}
