// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;

namespace Muster.Tidy;

/// <summary>The files of the repository that the tests of this project read.</summary>
internal static class Repository
{
    private static readonly string[] s_passedOver = ["artifacts", ".git", "node_modules", "bin", "obj", "__pycache__"];

    /// <summary>The folder that holds Muster.slnx.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>Every file of the repository whose name ends so, as paths relative to the root, sorted.</summary>
    public static IEnumerable<string> Files(string ending) =>
        Walk(Root)
            .Select(path => Path.GetRelativePath(Root, path))
            .Where(path => path.EndsWith(ending, StringComparison.Ordinal))
            .Order(StringComparer.Ordinal);

    public static string Read(string path) => File.ReadAllText(Path.Combine(Root, path));

    public static string[] Lines(string path) => File.ReadAllLines(Path.Combine(Root, path));

    private static IEnumerable<string> Walk(string folder)
    {
        foreach (var path in Directory.EnumerateFiles(folder))
        {
            yield return path;
        }

        foreach (var path in Directory.EnumerateDirectories(folder))
        {
            if (s_passedOver.Contains(Path.GetFileName(path)))
            {
                continue;
            }

            foreach (var inner in Walk(path))
            {
                yield return inner;
            }
        }
    }

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Muster.slnx")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new InvalidOperationException("the tests do not run inside the repository");
    }
}
