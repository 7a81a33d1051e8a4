// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Plm;

/// <summary>Takes one record of the journal while it is replayed; false stops the replay.</summary>
internal delegate bool FactVisitor(ushort kind, ReadOnlySpan<byte> body);
