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
    public const uint BeatsPerLeaseMin = 3;

    /// <summary>A worker is suspect after no fewer missed beats.</summary>
    public const uint BeatsPerSuspicionMin = 2;

    /// <summary>Whom the region could not take is asked to send again after this.</summary>
    public const uint RegionFullRetryMs = 200;

    /// <summary>
    /// How many registrations and losses a row has numbers for in one arena, as bits; the arena's own epoch is above
    /// them. A row is reused once a minute at most, so they last for weeks of a worker that dies at once, every time.
    /// </summary>
    public const int RowEpochBits = 16;

    /// <summary>
    /// Being late by this part of a lease is a standstill: for a lease after it a closed connection says nothing.
    /// </summary>
    public const uint StandstillPart = 4;

    /// <summary>
    /// A worker without a Heartbeat connection whose Dispatch stream is still open is looked at again after this.
    /// </summary>
    public const uint GoneAgainMs = 5;

    /// <summary>Records read from or written to a ring at once.</summary>
    public const int RingBatch = 256;

    /// <summary>How many slots ahead of the one at hand are fetched into the cache.</summary>
    public const int PrefetchAhead = 4;

    /// <summary>The oldest that a report of progress is taken to be: a worker's word for it is not believed further.
    /// </summary>
    public const ulong ProgressAgeUsMax = 60_000_000;
}
