// SPDX-License-Identifier: Apache-2.0
namespace Muster.Register;

/// <summary>The limits of the Register.</summary>
internal static class RegisterLimits
{
    /// <summary>How often the Register looks at its deadlines.</summary>
    public const uint TickMs = 50;

    /// <summary>However late the Register is itself, a lease stretches to at most this many terms.</summary>
    public const int LeaseTermsMax = 8;

    /// <summary>A worker's lease is at least this many of its beats, however slow the fleet was told to beat.</summary>
    public const uint BeatsPerLeaseMin = 4;

    /// <summary>A worker is suspect after no fewer missed beats.</summary>
    public const uint BeatsPerSuspicionMin = 2;

    /// <summary>Whom the region could not take is asked to send again after this.</summary>
    public const uint RegionFullRetryMs = 200;

    /// <summary>Records read from or written to a ring at once.</summary>
    public const int RingBatch = 256;
}
