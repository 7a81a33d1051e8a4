// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using FsCheck;
using FsCheck.Fluent;
using Muster.Arena;
using Muster.Arena.Tables;
using Muster.Plm;
using Xunit;

namespace Muster.Unit.Plm;

/// <summary>
/// Random histories of the index over a small table against a dictionary. Hashes crowd into few places, so that runs
/// meet, wrap around and are cut by removals. A takeover builds another index over the same rows.
/// </summary>
public sealed class KeyIndexModelTests
{
    private const uint Rows = 48;

    [Fact]
    public void Index_AnyHistory_KnowsWhatADictionaryKnows()
    {
        var histories = Gen.Choose(0, int.MaxValue).ArrayOf().ToArbitrary();
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(400).WithEndSize(400),
            Prop.ForAll(histories, history =>
            {
                using var model = new Model();
                Array.ForEach(history, model.Move);
                model.RemoveAll();
            }));
    }

    private sealed class Model : IDisposable
    {
        private readonly ArenaMap _arena = ArenaFile.CreatePrivate(new ArenaLimits
        {
            TasksMax = 1_024,
            WorkersMax = 16,
            ClientsMax = 16,
            KeysMax = Rows,
            PayloadBytesMax = 1 << 20,
            ResultBytesMax = 8 << 20,
        });

        private readonly Dictionary<(ulong High, ulong Low), ulong> _held = [];
        private KeyIndex _index;

        public Model() => _index = new KeyIndex(_arena.Keys);

        public void Move(int number)
        {
            var detail = number / 8;
            (ulong High, ulong Low) key = ((ulong)(detail / 16 % 4), ((ulong)detail % 16) + 56);
            switch (number % 8)
            {
                case < 4:
                    Add(key, (ulong)number + 1);
                    break;
                case < 7:
                    Remove(key);
                    break;
                default:
                    _index = new KeyIndex(_arena.Keys);
                    _index.Rebuild();
                    break;
            }

            _index.CheckInvariants();
            Assert.Equal(_held.Count, _index.Count);
            Assert.Equal(_held.Count < Rows, _index.HasRoom);
            Assert.Equal(_held.ContainsKey(key), _index.TryFind(key.High, key.Low, out var row));
            Assert.True(!_held.TryGetValue(key, out var task) || _arena.Keys[row].TaskId == task);
        }

        public void RemoveAll()
        {
            foreach (var key in _held.Keys.ToList())
            {
                Remove(key);
            }

            _index.CheckInvariants();
            Assert.Equal(0, _index.Count);
        }

        public void Dispose() => _arena.Dispose();

        private void Add((ulong High, ulong Low) key, ulong task)
        {
            if (!_held.ContainsKey(key) && _index.HasRoom)
            {
                _index.Add(new KeyRow { HashHigh = key.High, HashLow = key.Low, TaskId = task });
                _held.Add(key, task);
            }
        }

        private void Remove((ulong High, ulong Low) key)
        {
            Assert.Equal(_held.Remove(key), _index.TryFind(key.High, key.Low, out var row));
            if (_arena.Keys.HighWater > row && _index.TryFind(key.High, key.Low, out row))
            {
                _index.Remove(row);
            }
        }
    }
}
