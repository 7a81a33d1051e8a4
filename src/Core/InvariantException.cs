// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Core;

/// <summary>A bug of ours was noticed; the component that threw must stop.</summary>
internal sealed class InvariantException(string condition)
    : Exception($"invariant violated: {condition}; this is a bug in Muster, please report it with this text");
