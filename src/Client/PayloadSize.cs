// SPDX-License-Identifier: Apache-2.0
using Muster.Core;

namespace Muster.Client;

/// <summary>Refuses a payload here that the cell would refuse, before it is sent.</summary>
internal static class PayloadSize
{
    /// <exception cref="MusterException">PAYLOAD_TOO_LARGE.</exception>
    public static void Check(int bytes)
    {
        if (bytes > TaskLimits.PayloadBytesMax)
        {
            throw new MusterException(
                FaultCodes.Name(FaultCode.PayloadTooLarge),
                $"a payload of {bytes} bytes is over the limit of {TaskLimits.PayloadBytesMax}; "
                + "put large data where the worker can read it and send its address");
        }
    }
}
