// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster;

/// <summary>
/// Thrown by a handler: the task has failed, and another attempt would end as this one did, so none is made, however
/// many are left.
/// </summary>
/// <param name="message">Why, for people.</param>
/// <param name="innerException">What happened, if that was an exception.</param>
public sealed class FinalFailureException(string message, Exception? innerException = null)
    : Exception(message, innerException);
