// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Simulation.Faults;

/// <summary>Something happened in a seed that must never happen, whatever the faults.</summary>
internal sealed class SeedFailure(string message) : Exception(message);
