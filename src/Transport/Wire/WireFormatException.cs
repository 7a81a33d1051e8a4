// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Transport.Wire;

/// <summary>Bytes from outside are not the protobuf message that they should be.</summary>
internal sealed class WireFormatException(string message) : Exception(message);
