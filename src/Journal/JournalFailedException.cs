// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Core;

namespace Muster.Journal;

/// <summary>
/// The journal could not record: a write or a flush failed. What reached the disk is unknown, so nothing may be
/// acknowledged from here on and the process has to stop; the next start reads what is there.
/// </summary>
internal sealed class JournalFailedException(Fault fault) : Exception(fault.Message)
{
    public Fault Fault { get; } = fault;
}
