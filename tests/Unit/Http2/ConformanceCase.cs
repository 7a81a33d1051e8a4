// SPDX-License-Identifier: Apache-2.0
namespace Muster.Unit.Http2;

/// <summary>What a client sends after the prefaces, or instead of them, and what must come of it.</summary>
internal sealed record ConformanceCase(string Name, Verdict Verdict, params byte[][] Frames)
{
    /// <summary>The frames stand for everything that the client says, its preface too.</summary>
    public bool IsBare { get; init; }
}
