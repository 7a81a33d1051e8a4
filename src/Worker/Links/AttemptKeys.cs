// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using Muster.Core.Tasks;
using Muster.Transport.Wire;

namespace Muster.Worker.Links;

/// <summary>Reads and writes muster.v1.AttemptKey and messages that look the same.</summary>
internal static class AttemptKeys
{
    private const int TaskField = 1;
    private const int AttemptField = 2;

    public static AttemptKey Read(ReadOnlySpan<byte> bytes)
    {
        ulong task = 0;
        uint attempt = 0;
        var reader = new ProtoReader(bytes);
        while (reader.NextField())
        {
            switch (reader.Field)
            {
                case TaskField:
                    task = reader.ReadFixed64();
                    break;
                case AttemptField:
                    attempt = reader.ReadUInt32();
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return new(new TaskId(task), new Attempt(attempt));
    }

    public static void Write(ProtoWriter writer, int field, IReadOnlyList<AttemptKey> keys)
    {
        for (var index = 0; index < keys.Count; index++)
        {
            var begin = writer.Begin(field);
            writer.WriteFixed64(TaskField, keys[index].Task.Value);
            writer.WriteUInt32(AttemptField, keys[index].Attempt.Value);
            writer.End(begin);
        }
    }
}
