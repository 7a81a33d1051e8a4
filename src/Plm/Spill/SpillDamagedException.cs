// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Plm.Spill;

/// <summary>
/// A file of tasks that wait on disk is missing or not what was written: the role cannot go on, because it would lose
/// tasks in silence.
/// </summary>
internal sealed class SpillDamagedException(string message) : Exception(message);
