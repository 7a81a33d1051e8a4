// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;

namespace Muster.Worker.Commands;

/// <summary>Where a hierarchy of control groups is mounted and which of its folders is this process's.</summary>
/// <param name="Controllers">Empty for version 2, which has one hierarchy for all.</param>
/// <param name="Own">The folder of this process's group.</param>
internal sealed record CgroupMount(string[] Controllers, string Own)
{
    public bool IsUnified => Controllers.Length == 0;

    /// <summary>All that this process can see.</summary>
    public static List<CgroupMount> All() =>
        Parse(File.ReadAllLines("/proc/self/mountinfo"), File.ReadAllLines("/proc/self/cgroup"));

    /// <summary>The same from the lines of /proc/self/mountinfo and /proc/self/cgroup.</summary>
    public static List<CgroupMount> Parse(string[] mounts, string[] groups)
    {
        var found = new List<CgroupMount>();
        foreach (var line in mounts)
        {
            // id parent dev root mount-point options [fields] - type source super-options
            var sides = line.Split(" - ", 2);
            var left = sides[0].Split(' ');
            var right = sides.Length == 2 ? sides[1].Split(' ') : [];
            if (left.Length < 6 || right.Length < 3 || right[0] is not ("cgroup" or "cgroup2"))
            {
                continue;
            }

            var isUnified = right[0] == "cgroup2";
            var options = right[2].Split(',');
            var controllers = isUnified ? [] : Named(groups).FirstOrDefault(names => names.All(options.Contains)) ?? [];
            if (!isUnified && controllers.Length == 0)
            {
                continue;
            }

            if (Below(Group(groups, controllers), left[3]) is { } relative)
            {
                found.Add(new(controllers, left[4] + relative));
            }
        }

        return found;
    }

    // Each line of /proc/self/cgroup is number:controllers:path.
    private static IEnumerable<string[]> Named(string[] groups) =>
        groups.Select(line => line.Split(':', 3)).Where(parts => parts.Length == 3 && parts[1].Length > 0)
            .Select(parts => parts[1].Split(','));

    private static string? Group(string[] groups, string[] controllers) =>
        groups.Select(line => line.Split(':', 3))
            .Where(parts => parts.Length == 3 && parts[1] == string.Join(',', controllers))
            .Select(parts => parts[2])
            .FirstOrDefault();

    // A container sees a part of the hierarchy: what is above its root is not there.
    private static string? Below(string? path, string root)
    {
        if (path is null)
        {
            return null;
        }

        if (root == "/")
        {
            return path == "/" ? "" : path;
        }

        return path.StartsWith(root, StringComparison.Ordinal) ? path[root.Length..].TrimEnd('/') : null;
    }
}
