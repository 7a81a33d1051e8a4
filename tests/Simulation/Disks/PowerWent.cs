// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Simulation.Disks;

/// <summary>The machine lost its power before this call to the disk: unwinds to whoever made it.</summary>
internal sealed class PowerWent() : Exception("the power went amid a call to the disk");
