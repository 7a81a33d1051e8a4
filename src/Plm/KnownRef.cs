// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Plm;

/// <summary>A ref of a session that was accepted, and the task it became.</summary>
internal readonly record struct KnownRef(ulong Ref, TaskId Id) : IComparable<KnownRef>
{
    public int CompareTo(KnownRef other) => Ref.CompareTo(other.Ref);
}
