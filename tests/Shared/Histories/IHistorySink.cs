// SPDX-License-Identifier: Apache-2.0
namespace Muster.Shared.Histories;

/// <summary>Where a history goes. Called by one thread at a time for each actor.</summary>
internal interface IHistorySink
{
    void Take(in HistoryEvent happened);

    /// <summary>What was taken must outlive the caller from here on.</summary>
    void Flush();
}
