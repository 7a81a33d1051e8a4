// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Text;

namespace Muster.Core;

/// <summary>The wire name of each <see cref="FaultCode"/> and the gRPC status that carries it.</summary>
internal static class FaultCodes
{
    private static readonly Dictionary<FaultCode, string> s_names = BuildNames();
    private static readonly Dictionary<string, FaultCode> s_codes = BuildCodes();

    /// <summary>UPPER_SNAKE_CASE name, for example PAYLOAD_TOO_LARGE.</summary>
    public static string Name(FaultCode code) => s_names[code];

    /// <summary>The code of a name, or <see cref="FaultCode.None"/> when this version does not know it.</summary>
    public static FaultCode Parse(string name) => s_codes.GetValueOrDefault(name);

    /// <summary>Number of the gRPC status (google.rpc.Code) that carries the code.</summary>
    public static int GrpcStatus(FaultCode code) => code switch
    {
        FaultCode.None => 0,
        FaultCode.TaskNotFound or FaultCode.TaskIdFromEarlierArena or FaultCode.IdempotencyResultGone
            or FaultCode.IdentityUnknown => 5,
        FaultCode.IdempotencyKeyReused or FaultCode.IdentityExists => 6,
        FaultCode.PermissionDenied => 7,
        FaultCode.ArenaFull or FaultCode.OutstandingLimit or FaultCode.TooManyHandlers
            or FaultCode.TooManyWorkers or FaultCode.TooManyClients or FaultCode.DiskFull
            or FaultCode.JournalBehind or FaultCode.KeysFull or FaultCode.TooManyProfiles => 8,
        FaultCode.SessionUnknown or FaultCode.WorkerUnknown or FaultCode.WorkerFenced
            or FaultCode.RefOutOfOrder or FaultCode.WireVersionUnsupported => 9,
        FaultCode.SessionTakenOver => 10,
        FaultCode.FeatureUnsupported => 12,
        FaultCode.ShuttingDown or FaultCode.Unavailable or FaultCode.JournalFailed => 14,
        FaultCode.CredentialMissing or FaultCode.CredentialInvalid or FaultCode.CredentialExpired
            or FaultCode.CredentialRevoked => 16,
        _ => 3,
    };

    private static Dictionary<FaultCode, string> BuildNames()
    {
        var names = new Dictionary<FaultCode, string>();
        foreach (var code in Enum.GetValues<FaultCode>())
        {
            var text = new StringBuilder();
            foreach (var letter in code.ToString())
            {
                if (char.IsUpper(letter) && text.Length > 0)
                {
                    text.Append('_');
                }

                text.Append(char.ToUpperInvariant(letter));
            }

            names[code] = text.ToString();
        }

        return names;
    }

    private static Dictionary<string, FaultCode> BuildCodes()
    {
        var codes = new Dictionary<string, FaultCode>(StringComparer.Ordinal);
        foreach (var (code, name) in s_names)
        {
            codes[name] = code;
        }

        return codes;
    }
}
