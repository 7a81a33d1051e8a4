// SPDX-License-Identifier: Apache-2.0
using Muster.Plm;

namespace Muster.Unit.Plm;

/// <summary>Counts what the core asked of its host.</summary>
internal sealed class FakeEffects : IPlmEffects
{
    public int SchedulerSignals { get; private set; }

    public int RegisterSignals { get; private set; }

    public void SignalScheduler() => SchedulerSignals++;

    public void SignalRegister() => RegisterSignals++;
}
