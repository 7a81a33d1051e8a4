// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using FsCheck;
using FsCheck.Fluent;
using Muster.Arena.Slabs;
using Xunit;

namespace Muster.Unit.Arena.Slabs;

/// <summary>
/// Random histories of an allocator against a map that says of each unit of the region whose it is. Each number of a
/// history is one move: its remainder says which, the rest says with what. A takeover makes a new allocator that claims
/// what is held, in another order, among claims of blocks that do not exist.
/// </summary>
public sealed class SlabAllocatorModelTests
{
    private const long RegionBytes = (1 << 20) + 64;
    private const int Moves = 10;

    [Fact]
    public void Allocator_AnyHistory_NeverGivesAUnitTwiceNorForgetsOne()
    {
        var histories = Gen.Choose(0, int.MaxValue).ArrayOf().ToArbitrary();
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(500).WithEndSize(500),
            Prop.ForAll(histories, history =>
            {
                using var model = new SlabModel();
                Array.ForEach(history, model.Move);
                model.FreeAll();
            }));
    }

    private sealed class SlabModel : IDisposable
    {
        private readonly PrivateRegion _private = new(RegionBytes);
        private readonly Dictionary<uint, int> _held = [];
        private readonly uint[] _ownerOf = new uint[RegionBytes / SlabRegion.UnitBytes];
        private SlabAllocator _slabs;

        public SlabModel() => _slabs = _private.NewAllocator();

        public void Move(int number)
        {
            var detail = number / Moves;
            switch (number % Moves)
            {
                case < 5: Allocate(detail); break;
                case < 8: Free(detail); break;
                case 8: Ask(detail); break;
                default: TakeOver(detail); break;
            }

            var heldUnits = _held.Values.Sum(length => (long)Units(length));
            Assert.Equal(heldUnits * SlabRegion.UnitBytes, _private.Region.UsedBytes);
        }

        /// <summary>With nothing held, the region must be one piece again.</summary>
        public void FreeAll()
        {
            while (_held.Count > 0)
            {
                Free(0);
            }

            for (var pages = 64; pages > 0; pages /= 2)
            {
                Assert.True(_slabs.TryAllocate(pages * SlabClasses.PageBytes, out var block));
                _slabs.Free(block, pages * SlabClasses.PageBytes);
            }
        }

        public void Dispose() => _private.Dispose();

        private void Allocate(int detail)
        {
            var length = 1 + (detail / 16 % (1 << (6 + (detail % 12))));
            if (!_slabs.TryAllocate(length, out var block))
            {
                // Only fragmentation or fullness may refuse: never with most of the region free.
                Assert.True(_held.Count > 0);
                return;
            }

            _held.Add(block, length);
            foreach (ref var owner in _ownerOf.AsSpan((int)block, Units(length)))
            {
                Assert.Equal(0u, owner);
                owner = block;
            }
        }

        private void Free(int detail)
        {
            if (_held.Count == 0)
            {
                return;
            }

            var (block, length) = _held.ElementAt(detail % _held.Count);
            _slabs.Free(block, length);
            _held.Remove(block);
            _ownerOf.AsSpan((int)block, Units(length)).Clear();
        }

        private void Ask(int detail)
        {
            var block = (uint)(detail % (_ownerOf.Length + 10));
            var length = 1 + (detail % 3_000);
            var expected = _held.TryGetValue(block, out var held) && SlabClasses.Of(held) == SlabClasses.Of(length);
            Assert.Equal(expected, _slabs.IsUsed(block, length));
            Assert.All(_held, one => Assert.True(_slabs.IsUsed(one.Key, one.Value)));
        }

        private void TakeOver(int detail)
        {
            var random = new Random(detail);
            var claims = _held.ToArray();
            random.Shuffle(claims);
            _slabs = new SlabAllocator(_private.Region);
            foreach (var (block, length) in claims)
            {
                Assert.True(_slabs.TryClaim(block, length));
            }

            for (var wrong = 0; wrong < 20; wrong++)
            {
                TryWrongClaim((uint)random.Next(1, _ownerOf.Length + 10), 1 + random.Next(20_000));
            }

            _slabs.EndClaims();
        }

        // A claim that is granted must cover free units of the region only; it is given back at once.
        private void TryWrongClaim(uint block, int length)
        {
            if (_slabs.TryClaim(block, length))
            {
                Assert.All(
                    _ownerOf.AsSpan((int)block, Units(length)).ToArray(), owner => Assert.Equal(0u, owner));
                _slabs.Free(block, length);
            }
        }

        private static int Units(int length) =>
            SlabClasses.BlockBytes(SlabClasses.Of(length)) / SlabRegion.UnitBytes;
    }
}
