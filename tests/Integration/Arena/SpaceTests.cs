// SPDX-License-Identifier: Apache-2.0
using System;
using System.Globalization;
using Xunit;
using Xunit.Abstractions;

namespace Muster.Integration.Arena;

/// <summary>A /dev/shm that is small or full gives an answer at the start, never a SIGBUS later.</summary>
public sealed class SpaceTests(ITestOutputHelper output)
{
    private const int SqueezeRoundsDefault = 50;

    private static string SqueezeRounds =>
        Environment.GetEnvironmentVariable("MUSTER_SQUEEZE_ROUNDS")
        ?? SqueezeRoundsDefault.ToString(CultureInfo.InvariantCulture);

    [Fact]
    public void OpenOrCreate_DockersSharedMemory_DefaultsShrinkAndItWorks()
    {
        var lines = Cage.Run("64m", "$DUMMY open small");
        output.WriteLine(lines[0]);
        var words = lines[0].Split(' ');
        Assert.Equal("ok", words[0]);
        Assert.InRange(long.Parse(words[1], CultureInfo.InvariantCulture), 20L << 20, 48L << 20);
        Assert.Contains("--shm-size", lines[0], StringComparison.Ordinal);
    }

    [Fact]
    public void OpenOrCreate_ExplicitLimitsDoNotFit_RefusedWithAdvice()
    {
        var lines = Cage.Run("64m", "$DUMMY open small 262144 134217728 134217729 || ls $UID_SHM");
        output.WriteLine(lines[0]);
        Assert.StartsWith("fault ARENA_NO_SPACE", lines[0], StringComparison.Ordinal);
        Assert.Contains("needs 299 MiB", lines[0], StringComparison.Ordinal);
        Assert.Contains("MiB free", lines[0], StringComparison.Ordinal);
        Assert.Contains("--shm-size=", lines[0], StringComparison.Ordinal);

        // Nothing but the lock is left behind.
        Assert.Equal(["small.lock"], lines[1..]);
    }

    [Fact]
    public void OpenOrCreate_FullSharedMemory_RefusedWithAdvice()
    {
        var lines = Cage.Run("64m", "mkdir -m 700 $UID_SHM; touch $UID_SHM/full.lock; chmod 600 $UID_SHM/full.lock\n"
            + "dd if=/dev/zero of=/dev/shm/filler bs=64k 2>/dev/null || $DUMMY open full");
        output.WriteLine(lines[0]);
        Assert.StartsWith("fault ARENA_NO_SPACE", lines[0], StringComparison.Ordinal);
    }

    [Fact]
    public void OpenOrCreate_OldArenaMovedAsideTakesTheRoom_RoomIsGivenBack()
    {
        var lines = Cage.Run(
            "64m",
            "$DUMMY open small\nprintf XXXXXXXX | dd of=$UID_SHM/small.arena conv=notrunc 2>/dev/null\n"
            + "$DUMMY open small\nls $UID_SHM");
        output.WriteLine(lines[1]);
        Assert.StartsWith("ok ", lines[1], StringComparison.Ordinal);
        Assert.Contains("does not begin as an arena", lines[1], StringComparison.Ordinal);
        Assert.Contains("removed to make room", lines[1], StringComparison.Ordinal);
        Assert.Equal(lines[0].Split(' ')[1], lines[1].Split(' ')[1]);
        Assert.Equal(["small.arena", "small.lock"], lines[2..]);
    }

    [Fact]
    public void OpenOrCreate_RoomIsShortAtRandom_EveryByteOfWhatIsMadeCanBeUsed()
    {
        var lines = Cage.Run("64m", $"$DUMMY squeeze small {SqueezeRounds}");
        output.WriteLine(lines[0] + " (made, refused)");
        var words = lines[0].Split(' ');
        Assert.Equal("ok", words[0]);
        Assert.True(int.Parse(words[1], CultureInfo.InvariantCulture) > 0);
        Assert.True(int.Parse(words[2], CultureInfo.InvariantCulture) > 0);
    }

    [Theory]
    [InlineData("ln -s /tmp $UID_SHM")]
    [InlineData("ln -s /nowhere $UID_SHM")]
    [InlineData("mkdir -m 755 $UID_SHM")]
    [InlineData("mkdir -m 700 $UID_SHM; chown 65534 $UID_SHM")]
    [InlineData("touch $UID_SHM")]
    public void OpenOrCreate_FolderIsNotOurs_Refused(string plant)
    {
        var lines = Cage.Run("64m", plant + "\n$DUMMY open small || ls -A /tmp | grep -c ^small || true");
        output.WriteLine(lines[0]);
        Assert.StartsWith("fault ARENA_OTHER_OWNER", lines[0], StringComparison.Ordinal);
        Assert.Equal("0", lines[1]);
    }

    [Fact]
    public void OpenOrCreate_OtherPidNamespace_Refused()
    {
        var lines = Cage.Run("64m", "$DUMMY open small\nunshare --pid --fork --mount-proc $DUMMY open small");
        output.WriteLine(lines[1]);
        Assert.StartsWith("fault NAMESPACE_MISMATCH", lines[1], StringComparison.Ordinal);
    }

    [Fact]
    public void IsAlive_PidIsUsedAgain_FirstProcessIsDead()
    {
        // ns_last_pid lets a script choose the next pid; the start time counts in steps of 10 ms, so wait for another.
        const string script = """
            tick() { cut -d' ' -f22 /proc/$1/stat; }
            cat <> /dev/shm/never & pid=$!; start=$(tick $pid)
            $DUMMY alive $pid $start
            kill -9 $pid; wait $pid || true
            again=none; second=$start
            while [ $again != $pid ] || [ $second = $start ]; do
              [ $again = none ] || kill -9 $again
              echo $((pid - 1)) > /proc/sys/kernel/ns_last_pid
              sh -c 'exec cat <> /dev/shm/never' & again=$!
              second=$(tick $again)
            done
            $DUMMY alive $pid $start
            $DUMMY alive $pid $second
            kill -9 $pid
            """;
        var lines = Cage.Run("1m", "mkfifo /dev/shm/never\n" + script);
        Assert.Equal(["alive", "dead", "alive"], lines);
    }
}
