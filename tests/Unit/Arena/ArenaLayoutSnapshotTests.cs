// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Muster.Arena;
using Muster.Arena.Heap;
using Muster.Arena.Rings;
using Muster.Arena.Tables;
using Muster.Core;
using Muster.Core.Tasks;
using Xunit;

namespace Muster.Unit.Arena;

/// <summary>
/// Pins what lies in the arena: processes of two builds may meet there. Whoever changes a line of the snapshot also
/// raises the layout version in the arena's header. MUSTER_UPDATE_SNAPSHOTS=1 writes the file anew.
/// </summary>
public sealed class ArenaLayoutSnapshotTests
{
    private static readonly Type[] s_structs =
    [
        typeof(TaskSlot), typeof(WorkerRow), typeof(ClientRow), typeof(KeyRow), typeof(HeapHeader),
        typeof(HeapClassRow), typeof(ProfileRow), typeof(ProgressRow),
        typeof(FinishedRecord), typeof(CancelRecord), typeof(FreedRecord),
    ];

    private static readonly Type[] s_enums =
    [
        typeof(TaskState), typeof(Role), typeof(WorkerHealth), typeof(WorkerReason), typeof(CellCounter),
        typeof(Outcome),
    ];

    [Fact]
    public void Layout_OfEverySharedStruct_IsThatOfTheSnapshot()
    {
        var path = Path.Combine(Root(), "tests", "Unit", "Arena", "arena-layout.txt");
        var actual = Describe();
        if (Environment.GetEnvironmentVariable("MUSTER_UPDATE_SNAPSHOTS") == "1")
        {
            File.WriteAllLines(path, actual);
        }

        Assert.Equal(File.ReadAllLines(path), actual);
    }

    [Fact]
    public void Fields_OfEverySharedStruct_AreAlignedAndDoNotOverlap()
    {
        foreach (var type in s_structs)
        {
            var end = 0;
            foreach (var field in FieldsOf(type))
            {
                Assert.True(field.Offset >= end, $"{type.Name}.{field.Name} overlaps the field before it");
                Assert.True(field.Offset % field.Alignment == 0, $"{type.Name}.{field.Name} is not aligned");
                end = field.Offset + field.Bytes;
            }

            Assert.True(end <= SizeOf(type), $"{type.Name} ends before its fields");
        }
    }

    private static List<string> Describe()
    {
        var lines = new List<string>();
        foreach (var type in s_structs)
        {
            lines.Add($"{type.Name} size {SizeOf(type)}");
            lines.AddRange(FieldsOf(type).Select(
                field => $"{type.Name} {field.Offset} {field.Name} {field.Type} {field.Bytes}"));
        }

        foreach (var type in s_enums)
        {
            lines.AddRange(Enum.GetValues(type).Cast<object>().Select(
                value => $"{type.Name} {Convert.ToInt64(value, CultureInfo.InvariantCulture)} {value}"));
        }

        return lines;
    }

    private static IEnumerable<Field> FieldsOf(Type type) => type
        .GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)
        .Select(field =>
        {
            var offset = field.GetCustomAttribute<FieldOffsetAttribute>();
            Assert.True(offset is not null, $"{type.Name}.{field.Name} has no offset");
            var array = field.GetCustomAttribute<FixedBufferAttribute>();
            var element = array?.ElementType ?? field.FieldType;
            var name = field.Name.TrimStart('<').Split('>')[0];
            var elementBytes = SizeOf(element);
            var text = array is null ? element.Name : $"{element.Name}[{array.Length}]";
            return new Field(offset.Value, name, text, elementBytes * (array?.Length ?? 1), elementBytes);
        })
        .OrderBy(field => field.Offset);

    private static int SizeOf(Type type) => (int)typeof(Unsafe)
        .GetMethod(nameof(Unsafe.SizeOf))!
        .MakeGenericMethod(type)
        .Invoke(null, null)!;

    private static string Root()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Muster.slnx")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new DirectoryNotFoundException("Muster.slnx");
        }

        return folder;
    }

    private readonly record struct Field(int Offset, string Name, string Type, int Bytes, int Alignment);
}
