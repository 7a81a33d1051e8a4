// SPDX-License-Identifier: Apache-2.0
using Muster.Cli.Cells;
using Xunit;

namespace Muster.Unit.Cli;

public class EmbeddedCellNameTests
{
    [Fact]
    public void TryParse_OwnName_HasTheProcess()
    {
        Assert.True(EmbeddedCellName.TryParse(EmbeddedCellName.Of(1234), out var process));
        Assert.Equal(1234, process);
    }

    [Theory]
    [InlineData("default")]
    [InlineData("embedded-")]
    [InlineData("embedded-x1")]
    [InlineData("embedded--1")]
    [InlineData("my-embedded-1")]
    public void TryParse_OtherCells_AreNotOurs(string cell) =>
        Assert.False(EmbeddedCellName.TryParse(cell, out _));
}
