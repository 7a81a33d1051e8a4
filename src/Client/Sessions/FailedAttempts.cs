// SPDX-License-Identifier: Apache-2.0
using System;
using System.Text;
using Muster.Transport.Wire;

namespace Muster.Client.Sessions;

/// <summary>Reads muster.v1.AttemptInfo.</summary>
internal static class FailedAttempts
{
    private const int Strings = 8;

    /// <exception cref="WireFormatException">It is damaged.</exception>
    public static FailedAttempt Read(ReadOnlySpan<byte> message)
    {
        var texts = new string[Strings];
        Array.Fill(texts, "");
        uint attempt = 0;
        ulong outcome = 0, startedUs = 0, finishedUs = 0;
        var reader = new ProtoReader(message);
        while (reader.NextField())
        {
            switch (reader.Field)
            {
                case 1:
                    attempt = reader.ReadUInt32();
                    break;
                case 3:
                    outcome = reader.ReadVarint();
                    break;
                case 2 or 4 or 5 or 6 or 7:
                    texts[reader.Field] = Encoding.UTF8.GetString(reader.ReadBytes());
                    break;
                case 9:
                    startedUs = reader.ReadVarint();
                    break;
                case 10:
                    finishedUs = reader.ReadVarint();
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return new(
            attempt, texts[2], (Outcome)outcome, texts[4], texts[5], texts[6], texts[7], Moment(startedUs),
            Moment(finishedUs));
    }

    private static TimeSpan? Moment(ulong us) => us == 0 ? null : TimeSpan.FromMicroseconds(us);
}
