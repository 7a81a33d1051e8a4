// SPDX-License-Identifier: Apache-2.0
using Muster.Core;
using Muster.Register;
using Muster.Transport.Wire;

namespace Muster.Server.RegisterHosting;

/// <summary>Writes muster.v1.HeartbeatResponse.</summary>
internal static class AnswerWriter
{
    public static void WriteWelcome(
        ProtoWriter writer, in Welcome welcome, ulong cellId, uint epoch, string[] schedulerAddresses)
    {
        var begin = writer.Begin(1);
        writer.WriteUInt32(1, TaskLimits.WireVersion);
        writer.WriteFixed64(2, cellId);
        writer.WriteFixed64(3, welcome.WorkerId);
        writer.WriteUInt32(4, welcome.LeaseMs);
        writer.WriteUInt32(5, welcome.IntervalMs);
        foreach (var address in schedulerAddresses)
        {
            writer.WriteString(6, address);
        }

        writer.WriteBool(7, welcome.IsFenced);
        writer.WriteUInt32(8, epoch);
        writer.End(begin);
    }

    public static void Write(ProtoWriter writer, BeatAnswer answer)
    {
        writer.WriteUInt64(2, answer.ConfirmedResultNumber);
        foreach (var key in answer.Superseded)
        {
            var begin = writer.Begin(3);
            writer.WriteFixed64(1, key.Task.Value);
            writer.WriteUInt32(2, key.Attempt.Value);
            writer.End(begin);
        }

        writer.WriteUInt32(4, answer.IntervalMs);
    }
}
