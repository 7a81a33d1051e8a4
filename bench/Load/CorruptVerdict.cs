// SPDX-License-Identifier: Apache-2.0
namespace Muster.Load;

/// <summary>What became of a damaged journal; docs/internals/journal.md defines each.</summary>
internal enum CorruptVerdict
{
    Detected,
    Harmless,
    Unproven,
    Undetected,
    Crashed,
}
