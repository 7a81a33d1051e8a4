// SPDX-License-Identifier: Apache-2.0
using System;
using System.Globalization;
using System.IO;
using System.Text;
using Muster.Core;
using Muster.Core.Tasks;

namespace Muster.Plm.Facts;

/// <summary>
/// The PLM's records in words, for people who look into a journal. Payloads and results show as sizes.
/// </summary>
internal static class FactText
{
    private const int IdsShownMax = 8;

    // The last millisecond of the year 9999.
    private const ulong UnixMsMax = 253_402_300_799_999;

    /// <summary>One line about a record. Bytes that cannot be read are said to be so.</summary>
    public static string Describe(ushort kind, ReadOnlySpan<byte> body)
    {
        try
        {
            return kind switch
            {
                RecordKind.Turn => DescribeTurn(body),
                RecordKind.SnapshotBegin => "snapshot begins",
                RecordKind.SnapshotEnd => $"snapshot ends, begun at {new FactReader(body).Fixed64()}",
                _ => $"kind {kind}, {body.Length} bytes",
            };
        }
        catch (InvalidDataException damage)
        {
            return $"kind {kind}, {body.Length} bytes that cannot be read: {damage.Message}";
        }
    }

    private static string DescribeTurn(ReadOnlySpan<byte> body)
    {
        var text = new StringBuilder();
        var reader = new FactReader(body);
        while (reader.TryNext(out var kind, out var fact))
        {
            text.Append(text.Length == 0 ? "" : "; ");
            Append(text, kind, fact);
        }

        return text.ToString();
    }

    private static void Append(StringBuilder text, FactKind kind, FactReader fact)
    {
        switch (kind)
        {
            case FactKind.ArenaMade:
                text.Append(CultureInfo.InvariantCulture, $"arena made, epoch {fact.UInt32()}");
                break;
            case FactKind.Profile:
                var profile = ProfileFact.Read(ref fact);
                text.Append(CultureInfo.InvariantCulture, $"profile {profile.Number}: to ");
                text.Append(Encoding.UTF8.GetString(profile.HandlerUtf8));
                text.Append(CultureInfo.InvariantCulture,
                    $", priority {profile.Row.Priority}, {profile.Row.AttemptsMax} attempts");
                break;
            case FactKind.SubmittedBy:
                text.Append(CultureInfo.InvariantCulture, $"identity {fact.UInt32()} ");
                goto case FactKind.SubmittedAs;
            case FactKind.SubmittedAs:
                var common = SubmittedFact.Read(ref fact);
                text.Append(CultureInfo.InvariantCulture, $"submitted as {common.Profile}");
                AppendItems(text, common, fact);
                break;
            case FactKind.Submitted:
                var earlier = SubmittedFact.ReadWithOptions(ref fact, out var options);
                text.Append("submitted to ").Append(Encoding.UTF8.GetString(options.HandlerUtf8));
                AppendItems(text, earlier, fact);
                break;
            case FactKind.AttemptFailed:
                text.Append(CultureInfo.InvariantCulture,
                    $"attempt failed {new TaskId(fact.Fixed64())}: {fact.Byte()} failed, {fact.Byte()} lost, "
                    + $"{fact.Byte()} crashed; up to {new Attempt(fact.UInt32())} over");
                break;
            case FactKind.Ended:
                AppendEnded(text, fact);
                break;
            case FactKind.Released:
                AppendIds(text, "released", fact);
                break;
            case FactKind.HandlerModel:
                text.Append(CultureInfo.InvariantCulture,
                    $"{Encoding.UTF8.GetString(fact.Bytes())} runs {fact.Single():0} us");
                break;
            case FactKind.Granted:
                AppendIds(text, "granted", fact);
                break;
            case FactKind.Kept:
                text.Append(CultureInfo.InvariantCulture,
                    $"kept {new TaskId(fact.Fixed64())} until {Moment(fact.Varint())}");
                break;
            case FactKind.KeyKnown:
                var known = KeyFact.Read(ref fact);
                text.Append(CultureInfo.InvariantCulture,
                    $"key {known.Key.High:x16} of {new TaskId(known.TaskId)} until {Moment(known.ExpiresUnixMs)}");
                break;
            default:
                text.Append(CultureInfo.InvariantCulture, $"fact {(byte)kind}");
                break;
        }
    }

    private static void AppendItems(StringBuilder text, in SubmittedFact common, FactReader fact)
    {
        if (common.ClientId != 0)
        {
            text.Append(CultureInfo.InvariantCulture, $" by {common.ClientId:x16}");
        }

        var count = 0;
        long bytes = 0;
        var keyed = 0;
        while (!fact.IsEmpty)
        {
            var item = SubmittedItem.Read(ref fact);
            AppendId(text, item.Id, count++);
            bytes += item.Payload.Length;
            keyed += item.Key is null ? 0 : 1;
        }

        text.Append(CultureInfo.InvariantCulture, $" ({count} tasks, {bytes} payload bytes");
        text.Append(keyed == 0 ? ")" : string.Create(CultureInfo.InvariantCulture, $", {keyed} with keys)"));
    }

    private static void AppendEnded(StringBuilder text, FactReader reader)
    {
        var fact = EndedFact.Read(ref reader);
        text.Append(CultureInfo.InvariantCulture,
            $"ended {new TaskId(fact.Id)} attempt {new Attempt(fact.Attempt)}: {(Outcome)fact.Outcome}");
        if (fact.EndFault != 0)
        {
            text.Append(CultureInfo.InvariantCulture, $" {FaultCodes.Name((FaultCode)fact.EndFault)}");
        }

        if (fact.HasResult)
        {
            text.Append(CultureInfo.InvariantCulture, $", result of {fact.Result.Length} bytes");
        }
    }

    private static void AppendIds(StringBuilder text, string what, FactReader fact)
    {
        text.Append(what);
        var count = 0;
        while (!fact.IsEmpty)
        {
            AppendId(text, fact.Fixed64(), count++);
        }

        text.Append(CultureInfo.InvariantCulture, $" ({count} tasks)");
    }

    private static string Moment(ulong unixMs) => unixMs <= UnixMsMax
        ? DateTimeOffset.FromUnixTimeMilliseconds((long)unixMs).ToString("u", CultureInfo.InvariantCulture)
        : "no moment";

    private static void AppendId(StringBuilder text, ulong id, int position)
    {
        if (position < IdsShownMax)
        {
            text.Append(CultureInfo.InvariantCulture, $" {new TaskId(id)}");
        }
        else if (position == IdsShownMax)
        {
            text.Append(" ...");
        }
    }
}
