// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;

namespace Muster.Checking;

/// <summary>One promise, checked over the lines of a history in their order. Used for one history.</summary>
internal abstract class InvariantCheck(string name)
{
    private List<Violation> _violations = [];
    private int _at;

    /// <summary>Its number, I1 to I19.</summary>
    public string Name { get; } = name;

    public void Begin(List<Violation> violations) => _violations = violations;

    public void See(in HistoryEntry entry, Stories stories, int at)
    {
        _at = at;
        See(entry, stories);
    }

    public void End(Stories stories, int lines)
    {
        _at = lines;
        End(stories);
    }

    protected abstract void See(in HistoryEntry entry, Stories stories);

    protected virtual void End(Stories stories)
    {
    }

    protected void Fail(string what) => _violations.Add(new(Name, what, _at));

    protected static string Id(ulong value) => value.ToString("x", null);
}
