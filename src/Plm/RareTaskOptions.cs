// SPDX-License-Identifier: Apache-2.0
namespace Muster.Plm;

/// <summary>
/// Options that most batches leave out, as they came over the wire: unchecked, absent fields zero. Without references,
/// so that a reader of messages may hand it around.
/// </summary>
internal struct RareTaskOptions
{
    public uint RetryFactorPercent;
    public ulong RetryDelayMaxMs;
    public uint RetryJitterPercent;
    public ulong RetryBudgetMs;
    public ulong ProgressTimeoutMs;
    public ulong TotalTimeoutMs;
    public ulong CancelGraceMs;

    /// <summary>Codes and exception types that end the task at once.</summary>
    public FinalErrorNames FinalErrors;
}
