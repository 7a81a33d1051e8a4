// SPDX-License-Identifier: Apache-2.0
using Xunit;

namespace Muster.Unit.Simulator;

/// <summary>Small clusters whose decisions can be followed by hand.</summary>
public class ScenarioTests
{
    [Theory]
    [InlineData("""
        policy fifo
        worker 1
        task a 5
        task b 1
        task c 2
        start 0 a 0
        start 5 b 0
        start 6 c 0
        """)]
    [InlineData("""
        policy shortest
        worker 1
        task a 5
        task b 1
        task c 2
        start 0 b 0
        start 1 c 0
        start 3 a 0
        """)]
    [InlineData("""
        policy blevel
        worker 1
        worker 1
        task x 3
        task y 1
        task z 1
        task end 9 after=z
        start 0 z 0
        start 0 x 1
        start 1 end 0
        start 3 y 1
        """)]
    [InlineData("""
        policy easy
        worker 4
        task a 10 slots=3
        task wide 5 slots=4
        task fits 8
        task long 12
        start 0 a 0
        start 0 fits 0
        start 10 wide 0
        start 15 long 0
        """)]
    [InlineData("""
        policy fifo
        worker 4
        task a 10 slots=3
        task wide 5 slots=4
        task fits 8
        start 0 a 0
        start 10 wide 0
        start 15 fits 0
        """)]
    [InlineData("""
        policy blevel
        worker 1 1
        worker 1 10
        task a 10
        task b 9
        start 0 a 1
        start 1 b 1
        """)]
    [InlineData("""
        policy fair
        worker 1
        task a1 1 user=a
        task a2 1 user=a
        task b1 1 user=b
        start 0 a1 0
        start 1 b1 0
        start 2 a2 0
        """)]
    public void Scenario_Decisions_AreThoseWritten(string text)
    {
        var scenario = Scenario.Parse(text);
        Assert.Equal(scenario.Expected, scenario.Decide());
    }
}
