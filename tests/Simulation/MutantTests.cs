// SPDX-License-Identifier: Apache-2.0
using System.Linq;
using Xunit;

namespace Muster.Simulation;

/// <summary>A simulation that finds nothing when a safeguard is gone proves nothing when all are there.</summary>
public sealed class MutantTests
{
    public static TheoryData<string> Names => new(Mutant.All.Select(mutant => mutant.Name));

    [Theory]
    [MemberData(nameof(Names))]
    public void Mutant_Safeguard_IsMissed(string name)
    {
        var mutant = Mutant.All.Single(mutant => mutant.Name == name);
        var seed = mutant.Hunt(out var report);
        Assert.True(seed != 0, $"the safeguard of '{name}' is missed by nobody in {Mutant.SeedsMax} seeds");
        Assert.False(report!.IsClean);
    }
}
