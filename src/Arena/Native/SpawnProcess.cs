// SPDX-License-Identifier: Apache-2.0
using System;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Muster.Arena.Native;

/// <summary>
/// Starts a program as the leader of a session and process group of its own, with all signals at their defaults, no
/// descriptor but the three given, and confined as asked. The child shares this process's memory until the exec, so
/// its cost does not grow with the size of this process. Safe for many threads at once; the calling thread waits until
/// the program was loaded.
/// </summary>
internal static unsafe class SpawnProcess
{
    // The signals that somebody may have told this process to ignore; clone3 sets back only those that are handled.
    private static readonly byte[] s_ignorable = [1, 2, 3, 10, 12, 13, 14, 15, 17, 20, 21, 22];

    // Learnt once: a sandbox may refuse clone3 alone, as it cannot look into its arguments.
    private static volatile bool s_isClone3Refused;

    /// <summary>Starts it.</summary>
    /// <param name="request">What to start.</param>
    /// <param name="pid">Its number; 0 when it was not started.</param>
    /// <param name="pidfd">Its handle; null when it was not started.</param>
    /// <param name="stage">Where it failed.</param>
    /// <returns>0, or the errno of the step that failed.</returns>
    public static int Start(in SpawnRequest request, out int pid, out SafeFileHandle? pidfd, out SpawnStage stage)
    {
        using var texts = new SpawnTexts(request.Arguments, request.Environment);
        var useClone3 = request.Cgroup is not null || !s_isClone3Refused;
        var error = Start(request, texts, useClone3, out pid, out pidfd, out stage);
        if (stage != SpawnStage.Process || request.Cgroup is not null || !useClone3
            || error is not (SpawnCalls.ENOSYS or SpawnCalls.EPERM))
        {
            return error;
        }

        error = Start(request, texts, useClone3: false, out pid, out pidfd, out stage);
        s_isClone3Refused |= error == 0;
        return error;
    }

    private static int Start(
        in SpawnRequest request,
        in SpawnTexts texts,
        bool useClone3,
        out int pid,
        out SafeFileHandle? pidfd,
        out SpawnStage stage)
    {
        var memory = stackalloc byte[SpawnPlan.Bytes];
        var plan = new SpawnPlan(memory);
        var data = default(SpawnData);
        data.AllSignals = ulong.MaxValue;
        data.ChildDescriptor = -1;
        pid = 0;
        pidfd = null;
        fixed (byte* path = request.Path, folder = request.Folder)
        fixed (uint* groups = request.Confinement.User?.Groups)
        fixed (SpawnLimit* limits = request.Confinement.Limits)
        {
            var made = AddParentSteps(ref plan, &data, request, useClone3);
            plan.BeginChild();
            var joined = AddChildSteps(ref plan, &data, request, groups, limits, resetAll: !useClone3);
            var chdir = folder == null ? null : plan.Add(SpawnCalls.SYS_chdir, (long)folder);
            AddLastSteps(ref plan, &data, request.Confinement);
            var exec = plan.Add(
                SpawnCalls.SYS_execve, (long)path, (long)texts.Arguments, (long)texts.Environment);
            plan.Run();
            KeepAlive(request);
            if (made->Result < 0)
            {
                stage = SpawnStage.Process;
                return (int)-made->Result;
            }

            var handle = new SafeFileHandle(data.ChildDescriptor, ownsHandle: true);
            if (plan.Failed == null)
            {
                pid = (int)made->Result;
                pidfd = handle;
                stage = SpawnStage.Started;
                return 0;
            }

            SpawnWait.Reap(handle);
            handle.Dispose();
            stage = plan.Failed == exec ? SpawnStage.Program
                : plan.Failed == chdir ? SpawnStage.Folder
                : plan.Failed <= joined ? SpawnStage.Cgroup : SpawnStage.Confinement;
            return (int)-plan.Failed->Result;
        }
    }

    // Signals are held back so that no handler of this process runs in the child, which has this process's memory.
    private static SpawnStep* AddParentSteps(
        ref SpawnPlan plan, SpawnData* data, in SpawnRequest request, bool useClone3)
    {
        SpawnStep* made;
        AddMask(ref plan, &data->AllSignals, &data->OldSignals);
        var flags = SpawnCalls.CLONE_VM | SpawnCalls.CLONE_VFORK | SpawnCalls.CLONE_PIDFD;
        if (useClone3)
        {
            data->Flags = (ulong)(flags | SpawnCalls.CLONE_CLEAR_SIGHAND);
            data->Pidfd = (ulong)&data->ChildDescriptor;
            data->ExitSignal = (ulong)SpawnCalls.SIGCHLD;
            if (request.Cgroup is { } cgroup)
            {
                data->Flags |= (ulong)SpawnCalls.CLONE_INTO_CGROUP;
                data->Cgroup = (ulong)cgroup.DangerousGetHandle();
            }

            made = plan.Add(
                SpawnCalls.SYS_clone3, (long)data, SpawnData.CloneArgumentsBytes, kind: SpawnStep.MakesChild);
        }
        else
        {
            made = plan.Add(
                SpawnCalls.SYS_clone,
                flags | SpawnCalls.SIGCHLD,
                0,
                (long)&data->ChildDescriptor,
                kind: SpawnStep.MakesChild);
        }

        AddMask(ref plan, &data->OldSignals, null);
        return made;
    }

    /// <summary>Everything before the change of folder.</summary>
    /// <returns>The last step that joins a control group.</returns>
    private static SpawnStep* AddChildSteps(
        ref SpawnPlan plan, SpawnData* data, in SpawnRequest request, uint* groups, SpawnLimit* limits, bool resetAll)
    {
        // "0" is whoever writes it.
        data->Zero = (byte)'0';
        SpawnStep* joined = null;
        foreach (var group in request.Joins)
        {
            joined = plan.Add(SpawnCalls.SYS_write, group.DangerousGetHandle(), (long)&data->Zero, 1);
        }

        plan.Add(SpawnCalls.SYS_setsid);
        for (var signal = 1; resetAll && signal <= SpawnCalls.SignalsMax; signal++)
        {
            AddDefault(ref plan, data, signal);
        }

        foreach (var signal in resetAll ? [] : s_ignorable)
        {
            AddDefault(ref plan, data, signal);
        }

        // The sources are above 2 (SpawnPipe sees to it), so that no duplicate overwrites the source of a later one.
        plan.Add(SpawnCalls.SYS_dup2, request.Input.DangerousGetHandle(), 0);
        plan.Add(SpawnCalls.SYS_dup2, request.Output.DangerousGetHandle(), 1);
        plan.Add(SpawnCalls.SYS_dup2, request.Error.DangerousGetHandle(), 2);
        var confinement = request.Confinement;
        for (var index = 0; index < confinement.Limits.Length; index++)
        {
            // A SpawnLimit holds the two numbers of struct rlimit64 side by side.
            plan.Add(SpawnCalls.SYS_prlimit64, 0, limits[index].Resource, (long)&data->Limits[2 * index]);
            data->Limits[2 * index] = limits[index].Soft;
            data->Limits[(2 * index) + 1] = limits[index].Hard;
        }

        for (var capability = 0; capability <= confinement.LastCapability; capability++)
        {
            plan.Add(SpawnCalls.SYS_prctl, SpawnCalls.PR_CAPBSET_DROP, capability);
        }

        if (confinement.User is { } user)
        {
            plan.Add(SpawnCalls.SYS_setgroups, user.Groups.Length, (long)groups);
            plan.Add(SpawnCalls.SYS_setresgid, user.Gid, user.Gid, user.Gid);
            plan.Add(SpawnCalls.SYS_setresuid, user.Uid, user.Uid, user.Uid);
        }

        return joined;
    }

    private static void AddLastSteps(ref SpawnPlan plan, SpawnData* data, SpawnConfinement confinement)
    {
        if (confinement.Umask >= 0)
        {
            plan.Add(SpawnCalls.SYS_umask, confinement.Umask);
        }

        if (confinement.HasNoNewPrivileges)
        {
            plan.Add(SpawnCalls.SYS_prctl, SpawnCalls.PR_SET_NO_NEW_PRIVS, 1);
        }

        if (confinement.DiesWithParent)
        {
            // After the change of user, which sets it back.
            plan.Add(SpawnCalls.SYS_prctl, SpawnCalls.PR_SET_PDEATHSIG, SpawnCalls.SIGKILL);
        }

        plan.Add(SpawnCalls.SYS_close_range, 3, uint.MaxValue);
        AddMask(ref plan, &data->NoSignals, null);
    }

    private static void AddMask(ref SpawnPlan plan, ulong* mask, ulong* old) => plan.Add(
        SpawnCalls.SYS_rt_sigprocmask, SpawnCalls.SIG_SETMASK, (long)mask, (long)old, SpawnCalls.SignalSetBytes);

    // SIGKILL, SIGSTOP and those that the C library keeps for itself refuse it, and need it not.
    private static void AddDefault(ref SpawnPlan plan, SpawnData* data, int signal) => plan.Add(
        SpawnCalls.SYS_rt_sigaction,
        signal,
        (long)data->DefaultAction,
        0,
        SpawnCalls.SignalSetBytes,
        SpawnStep.MayFail);

    private static void KeepAlive(in SpawnRequest request)
    {
        GC.KeepAlive(request.Input);
        GC.KeepAlive(request.Output);
        GC.KeepAlive(request.Error);
        GC.KeepAlive(request.Cgroup);
        foreach (var group in request.Joins)
        {
            GC.KeepAlive(group);
        }
    }

    /// <summary>What the steps point at: struct clone_args first, then masks, limits and a zero.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct SpawnData
    {
        public const int CloneArgumentsBytes = 88;

        public ulong Flags;
        public ulong Pidfd;
        public ulong ChildTid;
        public ulong ParentTid;
        public ulong ExitSignal;
        public ulong Stack;
        public ulong StackSize;
        public ulong Tls;
        public ulong SetTid;
        public ulong SetTidSize;
        public ulong Cgroup;

        public ulong AllSignals;
        public ulong OldSignals;
        public ulong NoSignals;
        public fixed ulong DefaultAction[4];
        public fixed ulong Limits[16];
        public int ChildDescriptor;
        public byte Zero;
    }
}
