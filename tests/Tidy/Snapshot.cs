// SPDX-License-Identifier: Apache-2.0
using System;
using System.IO;
using Xunit;

namespace Muster.Tidy;

/// <summary>Compares text with a file that is reviewed like code. MUSTER_UPDATE_SNAPSHOTS=1 writes it anew.</summary>
internal static class Snapshot
{
    public static void Matches(string path, string actual)
    {
        var file = Path.Combine(Repository.Root, path);
        if (Environment.GetEnvironmentVariable("MUSTER_UPDATE_SNAPSHOTS") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, actual);
        }

        var expected = File.Exists(file) ? File.ReadAllText(file) : "";
        Assert.True(
            expected == actual,
            $"{path} differs from the code. If the change is meant, run: make snapshots\n"
            + FirstDifference(expected, actual));
    }

    private static string FirstDifference(string expected, string actual)
    {
        var left = expected.Split('\n');
        var right = actual.Split('\n');
        for (var line = 0; line < Math.Max(left.Length, right.Length); line++)
        {
            var a = line < left.Length ? left[line] : "(nothing)";
            var b = line < right.Length ? right[line] : "(nothing)";
            if (a != b)
            {
                return $"line {line + 1}\n  file: {a}\n  code: {b}";
            }
        }

        return "";
    }
}
