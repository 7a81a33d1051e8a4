// SPDX-License-Identifier: Apache-2.0
using System;
using System.Globalization;
using System.Threading.Tasks;
using Xunit;
using Xunit.Abstractions;

namespace Muster.Unit.Http2;

/// <summary>
/// Random frames and header blocks, by seed. A few seconds here; `make fuzz SECONDS=60` runs as long as it is told and
/// ends with a line of JSON. A failure names its seed: MUSTER_FUZZ_SEED=N runs that one first.
/// </summary>
public sealed class FuzzTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("hpack")]
    [InlineData("frames")]
    [InlineData("chunks")]
    public async Task RandomInput_OfTarget_NeitherCrashesNorHangs(string target)
    {
        var seconds = Number("MUSTER_FUZZ_SECONDS", 2);
        var seed = Number("MUSTER_FUZZ_SEED", Environment.TickCount);
        var report = await FuzzRun.RunAsync(target, seed, TimeSpan.FromSeconds(seconds));
        var line = string.Create(
            CultureInfo.InvariantCulture,
            $"fuzz {target}: {report.Inputs} inputs from seed {seed}, {report.Crashes} crashes, {report.Hangs} hangs");
        output.WriteLine(line);
        FuzzReport.Append(target, report);
        Assert.True(report.Crashes + report.Hangs == 0, line + "; " + report.First);
        Assert.True(report.Inputs > 0);
    }

    private static int Number(string variable, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out var number)
            ? number
            : otherwise;
}
