// SPDX-License-Identifier: Apache-2.0
using System;
using System.Linq;
using Muster.Core;
using Xunit;

namespace Muster.Unit.Core;

public sealed class FaultCodesTests
{
    [Fact]
    public void Name_OfEveryCode_IsUpperSnakeCaseUniqueAndReadBack()
    {
        var codes = Enum.GetValues<FaultCode>();
        Assert.Equal(codes.Length, codes.Select(FaultCodes.Name).Distinct(StringComparer.Ordinal).Count());
        Assert.All(codes, code =>
        {
            Assert.Matches("^[A-Z]+(_[A-Z]+)*$", FaultCodes.Name(code));
            Assert.Equal(code, FaultCodes.Parse(FaultCodes.Name(code)));
        });
    }

    [Fact]
    public void Name_IsTheWordsOfTheMember()
    {
        Assert.Equal("TASK_ID_FROM_EARLIER_ARENA", FaultCodes.Name(FaultCode.TaskIdFromEarlierArena));
    }

    [Fact]
    public void Parse_NameOfALaterVersion_IsNone()
    {
        Assert.Equal(FaultCode.None, FaultCodes.Parse("NOT_INVENTED_YET"));
    }

    [Fact]
    public void GrpcStatus_OfEveryFault_IsAnErrorOfGrpc()
    {
        Assert.Equal(0, FaultCodes.GrpcStatus(FaultCode.None));
        Assert.All(
            Enum.GetValues<FaultCode>().Where(code => code != FaultCode.None),
            code => Assert.InRange(FaultCodes.GrpcStatus(code), 1, 16));
    }
}
