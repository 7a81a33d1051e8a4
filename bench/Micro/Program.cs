// SPDX-License-Identifier: Apache-2.0
using System.Linq;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

namespace Muster.Micro;

/// <summary>Costs of single parts; the options are those of BenchmarkDotNet.</summary>
internal static class Program
{
    // In this process: what is measured is internal, and projects that are generated beside it would not see it.
    public static int Main(string[] args)
    {
        var config = ManualConfig.CreateEmpty()
            .AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance))
            .AddDiagnoser(MemoryDiagnoser.Default)
            .AddColumnProvider(DefaultColumnProviders.Instance)
            .AddLogger(ConsoleLogger.Default)
            .WithArtifactsPath("artifacts/micro");
        var summaries = BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args, config).ToList();
        var isWhole = summaries.Count > 0 && summaries.TrueForAll(summary =>
            !summary.HasCriticalValidationErrors && summary.Reports.All(report => report.Success));
        return isWhole ? 0 : 1;
    }
}
