// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Numerics;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;
using Muster.Arena;
using Muster.Core;
using Muster.Core.Tasks;
using Xunit;

namespace Muster.Unit.Arena.Files;

public sealed class LayoutTests
{
    [Fact]
    public void LayoutHash_IsThatOfTheSharedTypes()
    {
        // A changed layout must not be taken for the old one by a process of another version.
        var text = DescribeLayout();
        var crc = uint.MaxValue;
        foreach (var letter in Encoding.UTF8.GetBytes(text))
        {
            crc = BitOperations.Crc32C(crc, letter);
        }

        Assert.True(
            ArenaHeader.LayoutHashValue == ~crc,
            $"the arena's layout has changed: set ArenaHeader.LayoutHashValue to 0x{~crc:X8}, and raise VersionValue "
            + $"if a release carried the old one. The layout is:\n{text}");
    }

    [Theory]
    [InlineData(1_024u, 16u, 16u, 1L << 20, 8L << 20)]
    [InlineData(262_144u, 1_024u, 1_024u, 128L << 20, 128L << 20)]
    [InlineData(1_000_001u, 65_535u, 65_535u, (1L << 30) + 1, (1L << 30) + 4_097)]
    [InlineData(1u << 27, 65_535u, 65_535u, 64L << 30, 64L << 30)]
    public void Parts_AnyLimits_AreAlignedInOrderAndDoNotOverlap(
        uint tasks, uint workers, uint clients, long payloads, long results)
    {
        var layout = ArenaLayout.Of(new()
        {
            TasksMax = tasks,
            WorkersMax = workers,
            ClientsMax = clients,
            PayloadBytesMax = payloads,
            ResultBytesMax = results,
        });
        ArenaPart[] parts =
        [
            layout.Header, layout.RoleTable, layout.CounterWords, layout.WakeWords, layout.HeapLock, layout.NamesLock,
            layout.Tasks, layout.Heap, layout.Workers, layout.Clients, layout.Keys, layout.Handlers,
            layout.Profiles, layout.Progress, layout.Finished,
            layout.Cancels, layout.Freed, layout.Payloads, layout.Results, layout.SpillHeader, layout.SpillRows,
            layout.SpillMap,
        ];
        var end = 0L;
        foreach (var part in parts)
        {
            Assert.True(part.Offset >= end && part.Bytes > 0);
            Assert.Equal(0, part.Offset % ArenaLayout.LineBytes);
            end = part.End;
        }

        Assert.InRange(layout.TotalBytes - end, 0, ArenaLayout.PageBytes - 1);
        Assert.True(layout.RingCapacity >= Math.Min(tasks + workers, ArenaLayout.RingRecordsMax));
        Assert.True(BitOperations.IsPow2(layout.RingCapacity));
        Assert.Equal(layout.SpillHeader.End, layout.ReservedBytes);
        Assert.True(layout.ChangedBitmapBytes * 8 >= workers);
    }

    [Fact]
    public void SharedTypes_OfEveryKind_HaveNoReferencesAndFitTheirRooms()
    {
        Assert.All(SharedTypes(), type => Assert.False(ContainsReference(type), type.Name));
        Assert.True(ArenaHeader.SizeBytes <= ArenaLayout.ProofWordsOffset);
        Assert.True(Marshal.SizeOf<RoleRow>() == ArenaLayout.RoleRowBytes);
        Assert.True(ArenaHeader.CheckedBytes % 8 == 0);
    }

    private static string DescribeLayout()
    {
        var text = new StringBuilder();
        foreach (var type in SharedTypes())
        {
            text.Append(CultureInfo.InvariantCulture, $"{type.Name}:{Marshal.SizeOf(type)}");
            foreach (var (name, offset, size) in FieldsOf(type))
            {
                text.Append(CultureInfo.InvariantCulture, $" {name}@{offset}:{size}");
            }

            text.Append('\n');
        }

        foreach (var each in new[] { typeof(TaskState), typeof(Outcome), typeof(Role) })
        {
            var values = Enum.GetValues(each).Cast<object>().Select(v => $"{v}={Convert.ToInt64(v, null)}");
            text.Append(CultureInfo.InvariantCulture, $"{each.Name}: {string.Join(' ', values)}\n");
        }

        foreach (var part in typeof(ArenaLayout).GetProperties().Where(p => p.PropertyType == typeof(ArenaPart)))
        {
            text.Append(CultureInfo.InvariantCulture, $"{part.Name}={part.GetValue(ArenaLayout.Of(new()))}\n");
        }

        return text.ToString();
    }

    private static List<Type> SharedTypes() =>
    [
        .. typeof(ArenaHeader).Assembly.GetTypes()
            .Where(type => type.IsExplicitLayout && !type.IsGenericType
                && type.Namespace is { } name && name != "Muster.Arena.Native")
            .OrderBy(type => type.FullName, StringComparer.Ordinal),
    ];

    private static IEnumerable<(string Name, int Offset, int Size)> FieldsOf(Type type) =>
        type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)
            .Select(field => (
                field.Name,
                field.GetCustomAttribute<FieldOffsetAttribute>()!.Value,
                Marshal.SizeOf(field.FieldType.IsEnum ? Enum.GetUnderlyingType(field.FieldType) : field.FieldType)))
            .OrderBy(field => field.Item2);

    private static bool ContainsReference(Type type) =>
        type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)
            .Any(field => !field.FieldType.IsValueType && !field.FieldType.IsPointer);
}
