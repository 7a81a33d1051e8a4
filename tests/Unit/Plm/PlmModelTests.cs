// SPDX-License-Identifier: Apache-2.0
using System;
using Xunit;

namespace Muster.Unit.Plm;

public sealed class PlmModelTests
{
    private const int Steps = 400;

    // To repeat one run alone: MUSTER_SEED=n dotnet test tests/Unit --filter FullyQualifiedName~PlmModelTests
    [Fact]
    public void RandomLife_WithCrashesCutsAndLosses_EndsEveryAcceptedTaskExactlyOnce() => Live(isSmall: false);

    [Fact]
    public void RandomLife_WithTasksOnDisk_EndsEveryAcceptedTaskExactlyOnce() => Live(isSmall: true);

    private static void Live(bool isSmall)
    {
        var spilled = 0L;
        var only = Environment.GetEnvironmentVariable("MUSTER_SEED");
        var first = only is null ? 1 : int.Parse(only, System.Globalization.CultureInfo.InvariantCulture);
        var last = only is null ? 60 : first;
        for (var seed = first; seed <= last; seed++)
        {
            try
            {
                using var life = new ModelLife(seed, isSmall);
                for (var step = 0; step < Steps; step++)
                {
                    life.Step();
                }

                life.Finish();
                spilled += life.Spilled;
            }
            catch (Exception exception)
            {
                throw new InvalidOperationException(
                    $"seed {seed}; repeat by: MUSTER_SEED={seed} dotnet test tests/Unit --filter "
                    + "FullyQualifiedName~PlmModelTests", exception);
            }
        }

        Assert.True(!isSmall || only is not null || spilled > 1_000, $"only {spilled} extents went to disk");
    }
}
