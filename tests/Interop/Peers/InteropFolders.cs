// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics;
using System.IO;
using System.Threading;

namespace Muster.Interop.Peers;

/// <summary>
/// Where the peers' programs, generated code and npm packages are: prepared once a test run, under artifacts/interop.
/// </summary>
internal static class InteropFolders
{
    private static readonly Lazy<string> s_root = new(FindRoot);
    private static readonly Lazy<string> s_python = new(PreparePython, LazyThreadSafetyMode.ExecutionAndPublication);
    private static readonly Lazy<string> s_node = new(PrepareNode, LazyThreadSafetyMode.ExecutionAndPublication);

    public static string Sources => Path.Combine(s_root.Value, "tests", "Interop");

    /// <summary>The protos of the contract and of the standard services.</summary>
    public static string Contract => Path.Combine(s_root.Value, "proto");

    public static string Protos => Path.Combine(Sources, "proto");

    /// <summary>Python modules that protoc generated.</summary>
    public static string PythonGenerated => s_python.Value;

    /// <summary>The Node programs beside their packages.</summary>
    public static string Node => s_node.Value;

    private static string Artifacts => Path.Combine(s_root.Value, "artifacts", "interop");

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Muster.slnx")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new DirectoryNotFoundException("No Muster.slnx above the tests.");
    }

    private static string PreparePython()
    {
        var folder = Path.Combine(Artifacts, "python");
        Directory.CreateDirectory(folder);
        Run(
            folder, "protoc", "--python_out=.", $"-I{Protos}",
            $"-Ipeer_health={Contract}/grpc/health/v1",
            $"-Ipeer_reflection_v1={Contract}/grpc/reflection/v1",
            $"-Ipeer_reflection_v1alpha={Contract}/grpc/reflection/v1alpha",
            "interop.proto", "peer_health/health.proto", "peer_reflection_v1/reflection.proto",
            "peer_reflection_v1alpha/reflection.proto");
        Run(
            folder, "protoc", "--plugin=protoc-gen-grpc=" + PythonPlugin(), "--grpc_out=.", $"-I{Protos}",
            "interop.proto");
        return folder;
    }

    private static string PythonPlugin()
    {
        foreach (var folder in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator))
        {
            var file = Path.Combine(folder, "grpc_python_plugin");
            if (File.Exists(file))
            {
                return file;
            }
        }

        throw new FileNotFoundException("grpc_python_plugin is missing; install Debian's protobuf-compiler-grpc.");
    }

    private static string PrepareNode()
    {
        var folder = Path.Combine(Artifacts, "node");
        Directory.CreateDirectory(folder);
        var source = Path.Combine(Sources, "node");
        var packages = Path.Combine(folder, "package-lock.json");
        var wanted = File.ReadAllText(Path.Combine(source, "package-lock.json"));
        var present = Directory.Exists(Path.Combine(folder, "node_modules")) && File.Exists(packages)
            && File.ReadAllText(packages) == wanted;
        foreach (var file in Directory.GetFiles(source))
        {
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)), overwrite: true);
        }

        if (!present)
        {
            Run(folder, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent");
        }

        return folder;
    }

    private static void Run(string folder, string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{program} ended with {process.ExitCode}: {error}{output.Result}");
        }
    }
}
