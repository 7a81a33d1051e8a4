// SPDX-License-Identifier: Apache-2.0
using System;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Muster.Arena.Native;

/// <summary>
/// Starts a program as the leader of a session and process group of its own, with all signals at their defaults and no
/// descriptor but the three given. posix_spawn shares the parent's memory until the exec, so its cost does not grow
/// with the size of this process. Safe for many threads at once; the calling thread waits until the program was loaded.
/// </summary>
internal static unsafe class SpawnProcess
{
    // The same for every start, never written again and never freed.
    private static readonly byte* s_attributes = BuildAttributes();

    /// <summary>Starts it.</summary>
    /// <returns>0, or the errno of the step that failed: changing the folder or loading the program.</returns>
    public static int Start(in SpawnRequest request, out int pid)
    {
        var actions = stackalloc byte[SpawnCalls.ObjectBytes];
        pid = 0;
        var error = SpawnCalls.posix_spawn_file_actions_init(actions);
        if (error != 0)
        {
            return error;
        }

        using var texts = new SpawnTexts(request.Arguments, request.Environment);
        try
        {
            fixed (byte* path = request.Path, folder = request.Folder)
            fixed (int* child = &pid)
            {
                error = AddActions(actions, request, folder);
                return error != 0
                    ? error
                    : SpawnCalls.posix_spawn(
                        child, path, actions, s_attributes, texts.Arguments, texts.Environment);
            }
        }
        finally
        {
            _ = SpawnCalls.posix_spawn_file_actions_destroy(actions);
            GC.KeepAlive(request.Input);
            GC.KeepAlive(request.Output);
            GC.KeepAlive(request.Error);
        }
    }

    private static int AddActions(byte* actions, in SpawnRequest request, byte* folder)
    {
        var error = AddDuplicate(actions, request.Input, 0);
        error = error != 0 ? error : AddDuplicate(actions, request.Output, 1);
        error = error != 0 ? error : AddDuplicate(actions, request.Error, 2);
        if (error == 0 && folder != null)
        {
            error = SpawnCalls.posix_spawn_file_actions_addchdir_np(actions, folder);
        }

        return error != 0 ? error : SpawnCalls.posix_spawn_file_actions_addclosefrom_np(actions, 3);
    }

    // The sources are above 2 (SpawnPipe sees to it), so that no duplicate overwrites the source of a later one.
    private static int AddDuplicate(byte* actions, SafeFileHandle file, int target) =>
        SpawnCalls.posix_spawn_file_actions_adddup2(actions, (int)file.DangerousGetHandle(), target);

    private static byte* BuildAttributes()
    {
        var attributes = (byte*)NativeMemory.AllocZeroed(SpawnCalls.ObjectBytes);
        var signals = stackalloc byte[SpawnCalls.SignalSetBytes];
        var set = new Span<byte>(signals, SpawnCalls.SignalSetBytes);
        set.Clear();
        var error = SpawnCalls.posix_spawnattr_init(attributes);
        error |= SpawnCalls.posix_spawnattr_setsigmask(attributes, signals);
        set.Fill(0xff);
        error |= SpawnCalls.posix_spawnattr_setsigdefault(attributes, signals);
        error |= SpawnCalls.posix_spawnattr_setflags(
            attributes,
            SpawnCalls.POSIX_SPAWN_SETSID | SpawnCalls.POSIX_SPAWN_SETSIGDEF | SpawnCalls.POSIX_SPAWN_SETSIGMASK);
        return error == 0
            ? attributes
            : throw new PlatformNotSupportedException("posix_spawn of this C library lacks POSIX_SPAWN_SETSID");
    }
}
