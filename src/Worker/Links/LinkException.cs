// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Core;

namespace Muster.Worker.Links;

/// <summary>A stream could not be opened, broke, or was ended by the peer with an error.</summary>
internal sealed class LinkException(
    FaultCode code, string message, TimeSpan? retryAfter = null, Exception? innerException = null)
    : Exception(message, innerException)
{
    /// <summary>What the peer said; <see cref="FaultCode.Unavailable"/> when the connection broke.</summary>
    public FaultCode Code { get; } = code;

    /// <summary>Not null: the peer asks to be left alone for this time.</summary>
    public TimeSpan? RetryAfter { get; } = retryAfter;

    /// <summary>Whether the peer has given this worker's registration up.</summary>
    public bool IsFenced => Code is FaultCode.WorkerFenced or FaultCode.WorkerUnknown;

    /// <summary>Whether another try soon is pointless: the peer will refuse the same hello again.</summary>
    public bool IsRefusal => Code is FaultCode.InvalidArgument or FaultCode.WireVersionUnsupported
        or FaultCode.HandlerNameInvalid or FaultCode.TooManyHandlers or FaultCode.AddressInvalid
        or FaultCode.FeatureUnsupported or FaultCode.TooManyWorkers or FaultCode.PermissionDenied
        or FaultCode.CredentialMissing or FaultCode.CredentialInvalid or FaultCode.CredentialExpired
        or FaultCode.CredentialRevoked or FaultCode.CredentialsUnusable or FaultCode.ServerNotTrusted;
}
