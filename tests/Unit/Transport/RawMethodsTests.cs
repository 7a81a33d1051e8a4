// SPDX-License-Identifier: Apache-2.0
using Muster.Transport;
using Xunit;

namespace Muster.Unit.Transport;

public class RawMethodsTests
{
    [Fact]
    public void Names_AreThoseOfTheGeneratedServices()
    {
        Assert.Equal(Muster.V1.SubmissionService.Descriptor.FullName, RawMethods.SubmissionSession.ServiceName);
        Assert.Equal(Muster.V1.DispatchService.Descriptor.FullName, RawMethods.Dispatch.ServiceName);
        Assert.Equal(Muster.V1.RegistryService.Descriptor.FullName, RawMethods.Heartbeat.ServiceName);
    }
}
