// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers;
using System.Buffers.Binary;
using System.Linq;
using System.Text;
using System.Text.Json.Serialization;
using System.Threading.Tasks;
using Xunit;

namespace Muster.Unit.Worker;

/// <summary>Kinds of tasks: names and values.</summary>
public sealed partial class TaskTypeTests
{
    [Theory]
    [InlineData("fib")]
    [InlineData("muster.command")]
    [InlineData("grüße/日本")]
    [InlineData("a")]
    public void Name_ThatIsPrintable_IsTaken(string name) => Assert.Equal(name, TaskType.Bytes(name).Name);

    [Theory]
    [InlineData("")]
    [InlineData("two words")]
    [InlineData("tab\t")]
    [InlineData("line\n")]
    [InlineData("nul\0")]
    [InlineData("wide\u3000space")]
    [InlineData("hidden\u200b")]
    [InlineData("right\u202eleft")]
    [InlineData("half\ud800")]
    public void Name_ThatIsNot_IsRefused(string name) => Assert.Throws<ArgumentException>(() => TaskType.Bytes(name));

    [Fact]
    public void Name_OverTheLimitOfBytes_IsRefused()
    {
        Assert.Equal(128, TaskType.Bytes(new string('x', 128)).Name.Length);
        Assert.Throws<ArgumentException>(() => TaskType.Bytes(new string('x', 129)));
        Assert.Throws<ArgumentException>(() => TaskType.Bytes(new string('ü', 65)));
        Assert.Throws<ArgumentException>(() => TaskType.Bytes(null!));
    }

    [Fact]
    public void Json_WithMetadata_WritesAndReads()
    {
        var type = TaskType.Json("add", PairJson.Default.Pair, PairJson.Default.Int64);
        var buffer = new ArrayBufferWriter<byte>();
        type.WriteInput(new Pair(1, "zwei \"2\""), buffer);
        Assert.Equal(new Pair(1, "zwei \"2\""), type.ReadInput(buffer.WrittenSpan));
        buffer.Clear();
        type.WriteOutput(-5, buffer);
        Assert.Equal("-5", Encoding.UTF8.GetString(buffer.WrittenSpan));
        Assert.Equal(-5, type.ReadOutput(buffer.WrittenSpan));
    }

    [Fact]
    public void Json_ByReflection_WritesTheSame()
    {
        var type = TaskType.Json<Pair, int[]>("reflected");
        var buffer = new ArrayBufferWriter<byte>();
        type.WriteInput(new Pair(7, null), buffer);
        Assert.Equal(new Pair(7, null), type.ReadInput(buffer.WrittenSpan));
        buffer.Clear();
        type.WriteOutput([1, 2, 3], buffer);
        Assert.Equal([1, 2, 3], type.ReadOutput(buffer.WrittenSpan));
    }

    [Fact]
    public void Json_AfterAValueThatThrew_StillWrites()
    {
        var type = TaskType.Json<Thrower, int>("throws");
        var buffer = new ArrayBufferWriter<byte>();
        Assert.Throws<InvalidOperationException>(() => type.WriteInput(new Thrower(), buffer));
        buffer.Clear();
        type.WriteOutput(3, buffer);
        Assert.Equal(3, type.ReadOutput(buffer.WrittenSpan));
    }

    [Fact]
    public void Json_OnManyThreads_DoesNotMixValues()
    {
        var type = TaskType.Json("add", PairJson.Default.Pair, PairJson.Default.Int64);
        Parallel.ForEach(Enumerable.Range(0, 2_000), number =>
        {
            var buffer = new ArrayBufferWriter<byte>();
            type.WriteInput(new Pair(number, $"{number}"), buffer);
            Assert.Equal(new Pair(number, $"{number}"), type.ReadInput(buffer.WrittenSpan));
        });
    }

    [Fact]
    public void Bytes_Received_AreACopy()
    {
        var type = TaskType.Bytes("raw");
        byte[] source = [1, 2, 3];
        var read = type.ReadInput(source);
        source[0] = 9;
        Assert.Equal([1, 2, 3], read.ToArray());
    }

    [Fact]
    public void Create_WithOwnFunctions_UsesThem()
    {
        var type = TaskType.Create<int, bool>(
            "own",
            (value, output) =>
            {
                BinaryPrimitives.WriteInt32LittleEndian(output.GetSpan(4), value);
                output.Advance(4);
            },
            BinaryPrimitives.ReadInt32LittleEndian,
            (value, output) => output.Write([value ? (byte)1 : (byte)0]),
            bytes => bytes[0] != 0);
        var buffer = new ArrayBufferWriter<byte>();
        type.WriteInput(-77, buffer);
        Assert.Equal(-77, type.ReadInput(buffer.WrittenSpan));
        buffer.Clear();
        type.WriteOutput(true, buffer);
        Assert.True(type.ReadOutput(buffer.WrittenSpan));
    }

    internal sealed record Pair(int Number, string? Text);

    internal sealed class Thrower
    {
        public int Value => throw new InvalidOperationException("not readable");
    }

    [JsonSerializable(typeof(Pair))]
    [JsonSerializable(typeof(long))]
    internal sealed partial class PairJson : JsonSerializerContext;
}
