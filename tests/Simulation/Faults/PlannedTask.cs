// SPDX-License-Identifier: Apache-2.0
namespace Muster.Simulation.Faults;

/// <summary>One submission that a client is to make: its key and its bytes.</summary>
internal readonly record struct PlannedTask(ulong Key, byte[] Payload);
