// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Simulator;

/// <summary>A file of tasks that cannot be believed: says where and what, for whoever has to mend it.</summary>
internal sealed class WorkloadFormatException(string file, long line, string field, string problem)
    : Exception($"{file}, line {line}, {field}: {problem}")
{
    public long Line { get; } = line;

    public string Field { get; } = field;
}
