// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Threading;
using Muster.Server.RegisterHosting;
using Xunit;

namespace Muster.Unit.Register;

/// <summary>How late heartbeats are read, judged by a probe that is read as they are.</summary>
public sealed class PoolProbeTests
{
    [Fact]
    public void Probe_Waits_TellsEachMillisecondOnceAndNothingBelowTheThreshold()
    {
        var queued = new List<IThreadPoolWorkItem>();
        var probe = new PoolProbe(worthTellingMs: 100, queued.Add);
        Assert.Equal(0, probe.Look(1_000));
        Assert.Equal(0, probe.Look(1_099));
        Assert.Equal(150, probe.Look(1_150));
        Assert.Equal(0, probe.Look(1_200));
        Assert.Equal(350, probe.Look(1_500));
        Assert.Single(queued).Execute();
        Assert.Equal(0, probe.Look(1_600));
        Assert.Equal(2, queued.Count);
        queued[1].Execute();
        Assert.Equal(0, probe.Look(1_700));
        Assert.Equal(2, queued.Count);
    }
}
