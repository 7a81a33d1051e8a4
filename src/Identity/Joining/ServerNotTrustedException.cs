// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Identity.Joining;

/// <summary>The server is not the one that a token or context is for.</summary>
internal sealed class ServerNotTrustedException(string message) : Exception(message);
