// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Scheduler.Decisions;

/// <summary>
/// What makes tasks one class. The bucket is the level itself when that stands, else the size hint on a log scale, and
/// the handler then says whose model the level follows (-1: none).
/// </summary>
internal readonly record struct ClassKey(int Lane, int Handler, int Shape, int Members, int Bucket)
{
    public override int GetHashCode()
    {
        var hash = ((ulong)(uint)Lane * 0x9E3779B97F4A7C15UL) ^ ((ulong)(uint)Shape * 0xC2B2AE3D27D4EB4FUL)
            ^ ((ulong)(uint)Bucket * 0x165667B19E3779F9UL) ^ ((ulong)(uint)Handler * 0x27D4EB2F165667C5UL)
            ^ (uint)Members;
        return (int)(hash >> 32) ^ (int)hash;
    }
}
