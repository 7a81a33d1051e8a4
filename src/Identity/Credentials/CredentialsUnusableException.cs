// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Identity.Credentials;

/// <summary>The folder of a cell's identities cannot be used; the message says why and what to do.</summary>
internal sealed class CredentialsUnusableException(string message, Exception? innerException = null)
    : Exception(message, innerException);
