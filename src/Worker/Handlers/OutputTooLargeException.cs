// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Core;

namespace Muster.Worker.Handlers;

/// <summary>Leaves a serializer that has written more than an output may have; becomes OUTPUT_TOO_LARGE.</summary>
internal sealed class OutputTooLargeException()
    : Exception(
        $"the handler returned more than {TaskLimits.OutputBytesMax} bytes; return a reference to them instead");
