// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.IO;
using System.IO.Compression;
using System.Text;

namespace Muster.Simulator.Formats;

/// <summary>Opens a file of tasks, packed with gzip or not, and finds its format by its first characters.</summary>
internal static class WorkloadFile
{
    /// <summary>All workloads of the file: several when it holds several graphs.</summary>
    public static IReadOnlyList<Workload> Read(string path)
    {
        var bytes = Bytes(path);
        var start = bytes.AsSpan().StartsWith("\uFEFF"u8) ? 3 : 0;
        var first = start;
        while (first < bytes.Length && bytes[first] is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n')
        {
            first++;
        }

        if (first == bytes.Length)
        {
            throw new WorkloadFormatException(path, 1, "file", "it is empty");
        }

        if (bytes[first] is (byte)'{' or (byte)'[')
        {
            var root = PlacedJson.Parse(new(path, bytes[start..]));
            return root.Has("graph_name") ? EsteeReader.Read(root) : [WfFormatReader.Read(NameOf(path), root)];
        }

        using var reader = new StreamReader(new MemoryStream(bytes, start, bytes.Length - start), Encoding.UTF8);
        return Encoding.UTF8.GetString(bytes.AsSpan(first, Math.Min(64, bytes.Length - first)))
            .StartsWith(InvocationReader.Header, StringComparison.Ordinal)
            ? [InvocationReader.Read(path, NameOf(path), reader)]
            : [SwfReader.Read(path, NameOf(path), reader, Machines(path))];
    }

    /// <summary>The file's name without folders and endings.</summary>
    public static string NameOf(string path)
    {
        var name = Path.GetFileName(path);
        foreach (var ending in (string[])[".gz", ".json", ".swf", ".csv", ".txt"])
        {
            name = name.EndsWith(ending, StringComparison.OrdinalIgnoreCase) ? name[..^ending.Length] : name;
        }

        return name;
    }

    private static IReadOnlyList<WorkerShape> Machines(string path)
    {
        var beside = Path.Combine(Path.GetDirectoryName(path) ?? "", NameOf(path) + ".machines");
        if (!File.Exists(beside))
        {
            return [];
        }

        using var reader = new StreamReader(beside);
        return SwfReader.ReadMachines(beside, reader);
    }

    private static byte[] Bytes(string path)
    {
        using var file = File.OpenRead(path);
        using var content = new MemoryStream();
        var isPacked = file.Length >= 2 && file.ReadByte() == 0x1F && file.ReadByte() == 0x8B;
        file.Position = 0;
        if (!isPacked)
        {
            file.CopyTo(content);
            return content.ToArray();
        }

        try
        {
            using var unpacked = new GZipStream(file, CompressionMode.Decompress);
            unpacked.CopyTo(content);
        }
        catch (InvalidDataException broken)
        {
            throw new WorkloadFormatException(path, 1, "gzip", broken.Message);
        }

        return content.ToArray();
    }
}
