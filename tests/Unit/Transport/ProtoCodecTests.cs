// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Google.Protobuf;
using Muster.Transport.Wire;
using Muster.V1;
using Xunit;

namespace Muster.Unit.Transport;

public class ProtoCodecTests
{
    [Fact]
    public void Writer_AnyResult_IsReadByGeneratedCode() => Prop.ForAll<ulong, byte[], string>((number, output, text) =>
    {
        var expected = Result(number, output, text);
        using var writer = new ProtoWriter(16);
        Write(writer, expected);
        return TaskResult.Parser.ParseFrom(writer.Written).Equals(expected);
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Reader_AnyResultOfGeneratedCode_GivesTheSame() => Prop.ForAll<ulong, byte[], string>(
        (number, output, text) =>
        {
            var expected = Result(number, output, text);
            return Read(expected.ToByteArray()).Equals(expected);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Writer_PackedNumbers_AreReadByGeneratedCode() => Prop.ForAll<ulong[]>(ids =>
    {
        ids ??= [];
        using var writer = new ProtoWriter(16);
        writer.WritePackedFixed64(1, ids);
        return CancelTasksRequest.Parser.ParseFrom(writer.Written).TaskIds.SequenceEqual(ids);
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Writer_NestedBatch_IsReadByGeneratedCode()
    {
        using var writer = new ProtoWriter(16);
        var batch = writer.Begin(2);
        writer.WriteUInt64(1, 77);
        for (var i = 0; i < 1000; i++)
        {
            var item = writer.Begin(3);
            writer.WriteBytes(1, new byte[i]);
            writer.End(item);
        }

        writer.End(batch);
        var request = SessionRequest.Parser.ParseFrom(writer.Written);
        Assert.Equal(77u, request.Submit.FirstRef);
        Assert.Equal(Enumerable.Range(0, 1000), request.Submit.Items.Select(item => item.Payload.Length));
    }

    [Fact]
    public void Writer_Truncated_ForgetsWhatCameBehind()
    {
        using var writer = new ProtoWriter(16);
        writer.WriteUInt64(1, 5);
        var length = writer.Length;
        writer.WriteString(2, "too much");
        writer.Truncate(length);
        var walked = Walk(writer.Written);
        Assert.Equal([(1, 0)], walked);
    }

    [Fact]
    public void Reader_RandomBytes_ThrowNothingElse()
    {
        var random = new Random(20_260_101);
        var refused = 0;
        for (var round = 0; round < 50_000; round++)
        {
            var bytes = new byte[random.Next(0, 40)];
            random.NextBytes(bytes);
            try
            {
                Walk(bytes);
            }
            catch (WireFormatException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, 1, 50_000);
    }

    [Fact]
    public void Reader_EveryPrefixOfAMessage_IsWholeOrRefused()
    {
        var bytes = Result(ulong.MaxValue, new byte[300], "text").ToByteArray();
        for (var length = 0; length < bytes.Length; length++)
        {
            try
            {
                Read(bytes.AsSpan(0, length).ToArray());
            }
            catch (WireFormatException)
            {
                // Cut inside a field.
            }
        }
    }

    [Theory]
    [InlineData("00")] // field 0
    [InlineData("0f")] // wire type 7
    [InlineData("0b")] // a group
    [InlineData("08")] // no value
    [InlineData("08ffffffffffffffffffffff01")] // a varint of 12 bytes
    [InlineData("09010203")] // fixed64 cut off
    [InlineData("0d0102")] // fixed32 cut off
    [InlineData("0a05aabb")] // longer than the message
    [InlineData("0affffffffffffffffff01")] // a length of 2^64 - 1
    public void Reader_MalformedBytes_AreRefused(string hex)
    {
        var bytes = Convert.FromHexString(hex);
        Assert.Throws<WireFormatException>(() => Walk(bytes));
    }

    [Fact]
    public void RawMarshaller_Message_KeepsItsBytes()
    {
        var bytes = Encoding.UTF8.GetBytes("some bytes");
        var marshaller = Muster.Transport.RawMethods.RawMarshaller;
        using var read = marshaller.Deserializer(marshaller.Serializer(RawMessage.Copy(bytes)));
        Assert.Equal(bytes, read.Span.ToArray());
    }

    [Fact]
    public void RawMethods_Names_AreThoseOfTheContract()
    {
        Assert.Equal("/muster.v1.SubmissionService/Session", Muster.Transport.RawMethods.SubmissionSession.FullName);
        Assert.Equal("/muster.v1.DispatchService/Dispatch", Muster.Transport.RawMethods.Dispatch.FullName);
        Assert.Equal("/muster.v1.RegistryService/Heartbeat", Muster.Transport.RawMethods.Heartbeat.FullName);
    }

    private static TaskResult Result(ulong number, byte[]? output, string? text)
    {
        var clean = Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text ?? ""));
        var result = new TaskResult
        {
            TaskId = number,
            Ref = number >> 3,
            Attempt = (uint)(number >> 7),
            Output = ByteString.CopyFrom(output ?? []),
        };
        if (clean.Length > 0)
        {
            result.Error = new TaskError { Code = clean, Message = clean + clean };
        }

        return result;
    }

    private static void Write(ProtoWriter writer, TaskResult result)
    {
        writer.WriteFixed64(1, result.TaskId);
        writer.WriteUInt64(2, result.Ref);
        writer.WriteUInt32(4, result.Attempt);
        writer.WriteBytes(6, result.Output.Span);
        if (result.Error is { } error)
        {
            var begin = writer.Begin(7);
            writer.WriteString(1, error.Code);
            writer.WriteString(2, error.Message);
            writer.End(begin);
        }
    }

    private static TaskResult Read(byte[] bytes)
    {
        var result = new TaskResult();
        var reader = new ProtoReader(bytes);
        while (reader.NextField())
        {
            switch (reader.Field)
            {
                case 1:
                    result.TaskId = reader.ReadFixed64();
                    break;
                case 2:
                    result.Ref = reader.ReadVarint();
                    break;
                case 4:
                    result.Attempt = reader.ReadUInt32();
                    break;
                case 6:
                    result.Output = ByteString.CopyFrom(reader.ReadBytes());
                    break;
                case 7:
                    result.Error = ReadError(reader.ReadBytes());
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return result;
    }

    private static TaskError ReadError(ReadOnlySpan<byte> bytes)
    {
        var error = new TaskError();
        var reader = new ProtoReader(bytes);
        while (reader.NextField())
        {
            var text = Encoding.UTF8.GetString(reader.ReadBytes());
            if (reader.Field == 1)
            {
                error.Code = text;
            }
            else
            {
                error.Message = text;
            }
        }

        return error;
    }

    private static List<(int Field, int WireType)> Walk(ReadOnlySpan<byte> bytes)
    {
        var fields = new List<(int, int)>();
        var reader = new ProtoReader(bytes);
        while (reader.NextField())
        {
            fields.Add((reader.Field, reader.WireType));
            reader.Skip();
        }

        return fields;
    }

    [Theory]
    [InlineData(0x80ul)]
    [InlineData(0x3ffful)]
    [InlineData(0x4000ul)]
    [InlineData(0xffff_fffful)]
    [InlineData(0xff_ffff_ffff_fffful)]
    [InlineData(0x1ff_ffff_ffff_fffful)]
    [InlineData(ulong.MaxValue)]
    public void ReadVarint_LongOnes_AtTheEndAndBeforeMore_AreTheSame(ulong value)
    {
        using var writer = new ProtoWriter();
        writer.WriteUInt64(1, value);
        var alone = writer.Written.ToArray();
        var followed = new byte[alone.Length + 16];
        alone.CopyTo(followed, 0);
        foreach (var bytes in new[] { alone, followed })
        {
            var reader = new ProtoReader(bytes);
            Assert.True(reader.NextField());
            Assert.Equal(value, reader.ReadVarint());
            Assert.Equal(alone.Length, reader.Position);
        }
    }
}
