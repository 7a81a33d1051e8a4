// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Threading;
using Muster.Arena.Native;

namespace Muster.Worker.Commands;

/// <summary>
/// The control groups of one worker: a folder muster-PID-START below its own group, with one lane-N for each command
/// that runs. Version 2 where it is mounted and this user may write there: a program begins in its group and the
/// kernel kills the group as a whole. Limits whose controllers belong to version 1 are set there; where only version 1
/// can be written, its list of processes is killed until it is empty.
/// </summary>
internal sealed class CgroupTree
{
    public const string Auto = "auto";
    public const string Off = "off";
    public const string KillFile = "cgroup.kill";
    public const string ProcessesFile = "cgroup.procs";

    private const string ControlFile = "cgroup.subtree_control";

    // Several workers of one process have folders of their own.
    private static int s_made;

    private readonly CgroupLimits _limits;
    private readonly List<string> _unifiedControllers = [];
    private readonly List<(string Controller, string Folder)> _joined = [];
    private string? _unified;

    private CgroupTree(CgroupLimits limits) => _limits = limits;

    /// <summary>Every folder of this worker, that of version 2 first.</summary>
    public IEnumerable<string> Folders =>
        (_unified is null ? [] : new[] { _unified }).Concat(_joined.Select(pair => pair.Folder)).Distinct();

    /// <summary>What was found, for people.</summary>
    public string Summary => _unified is not null ? $"cgroup v2 {_unified}" : $"cgroup v1 {_joined[0].Folder}";

    /// <summary>Makes the worker's folders; null when no group can be had.</summary>
    /// <param name="limits">What each command may use.</param>
    /// <param name="missing">Takes what this host does not allow, for people.</param>
    public static CgroupTree? TryMake(CgroupLimits limits, List<string> missing)
    {
        var tree = new CgroupTree(limits);
        var mounts = CgroupMount.All();
        var name = string.Create(
            CultureInfo.InvariantCulture,
            $"muster-{Environment.ProcessId}-{ProcStat.OwnStart}-{Interlocked.Increment(ref s_made)}");
        var unified = mounts.Find(mount => mount.IsUnified);
        tree._unified = unified is null ? null : tree.MakeUnified(unified, name, missing);
        foreach (var controller in limits.Controllers.Except(tree._unifiedControllers))
        {
            tree.Join(mounts.Find(mount => mount.Controllers.Contains(controller)), controller, name, missing);
        }

        if (tree._unified is null && tree._joined.Count == 0)
        {
            foreach (var mount in mounts.Where(mount => !mount.IsUnified))
            {
                if (TryMakeFolder(Path.Combine(mount.Own, name)) is null)
                {
                    tree._joined.Add((mount.Controllers[0], Path.Combine(mount.Own, name)));
                    break;
                }
            }
        }

        return tree.Folders.Any() ? tree : null;
    }

    /// <summary>Removes a folder of groups, as far as nobody is in it.</summary>
    public static void Remove(string folder)
    {
        try
        {
            Directory.Delete(folder);
        }
        catch (IOException)
        {
            // Somebody is still in it, or it is gone. The guard tries again when this process has ended.
        }
        catch (UnauthorizedAccessException)
        {
            // The same with the rights changed meanwhile: nothing that this process could do about it.
        }
    }

    /// <summary>A new group for commands.</summary>
    /// <exception cref="IOException">It cannot be made.</exception>
    public CgroupLeaf MakeLeaf(int number)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"lane-{number}");
        var unified = _unified is null ? null : Path.Combine(_unified, name);
        if (unified is not null)
        {
            Directory.CreateDirectory(unified);
            _unifiedControllers.ForEach(controller => Limit(unified, controller, isUnified: true));
        }

        var joined = new List<string>();
        foreach (var (controller, parent) in _joined)
        {
            var folder = Path.Combine(parent, name);
            Directory.CreateDirectory(folder);
            if (_limits.Controllers.Contains(controller))
            {
                Limit(folder, controller, isUnified: false);
            }

            joined.Add(folder);
        }

        return new CgroupLeaf(unified, [.. joined.Distinct()]);
    }

    /// <summary>Removes the worker's folders.</summary>
    public void Remove()
    {
        foreach (var folder in Folders)
        {
            Remove(folder);
        }
    }

    // Null: made.
    private static string? TryMakeFolder(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
            return null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return $"{Path.GetDirectoryName(folder)} may not be written";
        }
    }

    private string? MakeUnified(CgroupMount mount, string name, List<string> missing)
    {
        var folder = Path.Combine(mount.Own, name);
        if (TryMakeFolder(folder) is { } why)
        {
            missing.Add($"no cgroup of version 2: {why}");
            return null;
        }

        if (!File.Exists(Path.Combine(folder, KillFile)))
        {
            Remove(folder);
            missing.Add("no cgroup of version 2: this kernel has no cgroup.kill (5.14 and later have)");
            return null;
        }

        var offered = File.ReadAllText(Path.Combine(mount.Own, "cgroup.controllers"))
            .Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
        foreach (var controller in _limits.Controllers.Intersect(offered))
        {
            if (TryEnable(mount.Own, folder, controller))
            {
                _unifiedControllers.Add(controller);
            }
        }

        return folder;
    }

    // A group that has processes gives no controllers on, so a worker that is alone in its own moves into a part of it.
    private static bool TryEnable(string own, string folder, string controller)
    {
        if (!TryWrite(Path.Combine(own, ControlFile), $"+{controller}"))
        {
            var mine = Path.Combine(own, "muster-worker");
            var others = File.ReadAllLines(Path.Combine(own, ProcessesFile));
            if (others is not [var one] || one != Environment.ProcessId.ToString(CultureInfo.InvariantCulture)
                || TryMakeFolder(mine) is not null
                || !TryWrite(Path.Combine(mine, ProcessesFile), one)
                || !TryWrite(Path.Combine(own, ControlFile), $"+{controller}"))
            {
                return false;
            }
        }

        return TryWrite(Path.Combine(folder, ControlFile), $"+{controller}");
    }

    private void Join(CgroupMount? mount, string controller, string name, List<string> missing)
    {
        if (mount is null)
        {
            missing.Add($"no limit of {controller}: this host has no such controller for this worker");
            return;
        }

        var folder = Path.Combine(mount.Own, name);
        if (TryMakeFolder(folder) is { } why)
        {
            missing.Add($"no limit of {controller}: {why}");
            return;
        }

        _joined.Add((controller, folder));
    }

    private void Limit(string folder, string controller, bool isUnified)
    {
        foreach (var (file, value) in _limits.Values(controller, isUnified))
        {
            var path = Path.Combine(folder, file);

            // Swap and group kills are refinements that a kernel may be built without.
            if (!TryWrite(path, value) && file is not ("memory.swap.max" or "memory.oom.group"))
            {
                throw new IOException($"'{value}' was refused by {path}");
            }
        }
    }

    private static bool TryWrite(string path, string value)
    {
        try
        {
            File.WriteAllText(path, value);
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
