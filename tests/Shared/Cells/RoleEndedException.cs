// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Shared.Cells;

/// <summary>A role ended before it served; what it said on its standard error is part of the message.</summary>
internal sealed class RoleEndedException(string role, string said)
    : InvalidOperationException($"{role} ended: {said.Trim()}");
