// SPDX-License-Identifier: Apache-2.0
using System.Linq;
using Muster.Worker.Commands;
using Xunit;

namespace Muster.Unit.Worker;

/// <summary>Where control groups are, as hosts, containers and older systems say it.</summary>
public sealed class CgroupMountTests
{
    [Fact]
    public void Parse_UnifiedHost_FindsTheOwnGroup()
    {
        var mounts = CgroupMount.Parse(
            ["29 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate"],
            ["0::/user.slice/user-1000.slice/run.scope"]);
        var mount = Assert.Single(mounts);
        Assert.True(mount.IsUnified);
        Assert.Equal("/sys/fs/cgroup/user.slice/user-1000.slice/run.scope", mount.Own);
    }

    [Fact]
    public void Parse_Container_TakesAwayWhatIsAboveItsRoot()
    {
        var mounts = CgroupMount.Parse(
            [
                "40 30 0:30 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw",
                "41 30 0:31 /docker/abc /sys/fs/cgroup/pids ro - cgroup cgroup rw,pids",
                "42 30 0:32 /elsewhere /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu",
            ],
            ["7:cpu:/docker/abc", "8:pids:/docker/abc/inner", "0::/docker/abc"]);
        Assert.Equal(
            ["/sys/fs/cgroup", "/sys/fs/cgroup/pids/inner"], mounts.Select(mount => mount.Own));
    }

    [Fact]
    public void Parse_OlderHost_FindsEachHierarchyByItsControllers()
    {
        var mounts = CgroupMount.Parse(
            [
                "31 24 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw",
                "33 24 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct",
                "34 24 0:30 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd",
                "35 24 0:31 / /tmp rw - tmpfs tmpfs rw",
            ],
            ["4:cpu,cpuacct:/", "1:name=systemd:/a", "0::/"]);
        Assert.Equal(3, mounts.Count);
        Assert.True(mounts[0].IsUnified);
        Assert.Equal("/sys/fs/cgroup/cpu,cpuacct", mounts[1].Own);
        Assert.Equal(["cpu", "cpuacct"], mounts[1].Controllers);
        Assert.Equal("/sys/fs/cgroup/systemd/a", mounts[2].Own);
    }

    [Fact]
    public void Values_OfBothVersions_AreWhatTheKernelReads()
    {
        var limits = new CgroupLimits(1 << 20, 1.5, 64);
        Assert.Equal(["memory", "cpu", "pids"], limits.Controllers);
        Assert.Equal(("cpu.max", "150000 100000"), limits.Values("cpu", isUnified: true)[0]);
        Assert.Equal(("cpu.cfs_quota_us", "150000"), limits.Values("cpu", isUnified: false)[1]);
        Assert.Equal(("pids.max", "64"), limits.Values("pids", isUnified: false)[0]);
        Assert.Equal(("memory.max", "1048576"), limits.Values("memory", isUnified: true)[0]);
        Assert.Empty(new CgroupLimits(null, null, null).Controllers);
    }
}
