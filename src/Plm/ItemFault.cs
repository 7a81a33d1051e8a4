// SPDX-License-Identifier: Apache-2.0
using Muster.Core;

namespace Muster.Plm;

/// <summary>Why the item at a position of a batch was refused.</summary>
internal readonly record struct ItemFault(int Index, Fault Fault);
