// SPDX-License-Identifier: Apache-2.0
using Muster.Arena.Native;
using Muster.Core;
using Muster.Server.Endpoint;
using Xunit;

namespace Muster.Unit.Endpoint;

public sealed class ConnectionBudgetTests
{
    [Theory]
    [InlineData(0, 0)]
    [InlineData(1_024, 0)]
    [InlineData(1_280, 64)]
    [InlineData(20_000, 4_744)]
    [InlineData(1_000_000, 10_000)]
    public void ConnectionsFor_Files_LeavesRoomForTheRest(int files, int connections) =>
        Assert.Equal(connections, ConnectionBudget.ConnectionsFor((ulong)files));

    [Fact]
    public void Settle_WithoutAWish_FitsIntoTheLimit()
    {
        Assert.Equal(Fault.None, ConnectionBudget.Settle(0, out var connections));
        Assert.InRange(connections, EndpointLimits.ConnectionsMin, EndpointLimits.ConnectionsMax);
        Assert.True(ConnectionBudget.FilesFor(connections) <= FileLimit.Present);
    }

    [Fact]
    public void Settle_WithTooLargeAWish_IsRefused() =>
        Assert.Equal(FaultCode.FileLimitTooLow, ConnectionBudget.Settle(500_000_000, out _).Code);
}
