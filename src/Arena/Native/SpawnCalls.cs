// SPDX-License-Identifier: Apache-2.0
namespace Muster.Arena.Native;

/// <summary>Numbers and constants of the calls that start a program, as Linux has them on x64.</summary>
internal static class SpawnCalls
{
    public const long SYS_write = 1;
    public const long SYS_rt_sigaction = 13;
    public const long SYS_rt_sigprocmask = 14;
    public const long SYS_dup2 = 33;
    public const long SYS_clone = 56;
    public const long SYS_execve = 59;
    public const long SYS_chdir = 80;
    public const long SYS_umask = 95;
    public const long SYS_setsid = 112;
    public const long SYS_setgroups = 116;
    public const long SYS_setresuid = 117;
    public const long SYS_setresgid = 119;
    public const long SYS_prctl = 157;
    public const long SYS_prlimit64 = 302;
    public const long SYS_clone3 = 435;
    public const long SYS_close_range = 436;

    public const long CLONE_VM = 0x100;
    public const long CLONE_PIDFD = 0x1000;
    public const long CLONE_VFORK = 0x4000;
    public const long CLONE_CLEAR_SIGHAND = 0x100000000;
    public const long CLONE_INTO_CGROUP = 0x200000000;

    public const long SIGKILL = 9;
    public const long SIGCHLD = 17;
    public const long SIG_SETMASK = 2;

    /// <summary>Signals are numbered from 1 to this.</summary>
    public const int SignalsMax = 64;

    /// <summary>What the kernel takes for a set of signals.</summary>
    public const long SignalSetBytes = 8;

    public const long PR_SET_PDEATHSIG = 1;
    public const long PR_CAPBSET_DROP = 24;
    public const long PR_SET_NO_NEW_PRIVS = 38;

    public const int EPERM = 1;
    public const int EBUSY = 16;
    public const int EINVAL = 22;
    public const int ENOSYS = 38;
    public const int EOPNOTSUPP = 95;
}
