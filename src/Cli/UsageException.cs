// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Cli;

/// <summary>The arguments make no sense; the message says which, and what would.</summary>
internal sealed class UsageException(string message) : Exception(message);
