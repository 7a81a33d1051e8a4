// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;
using System.Threading.Tasks;

namespace Muster.Identity.Joining;

/// <summary>Gives the credential for the channels of a program, which may change while it runs.</summary>
internal interface ICredentialSource : IDisposable
{
    /// <summary>Null: none is needed. Throws what <see cref="Enrolment"/> throws when the server has to be
    /// asked.</summary>
    ValueTask<CellCredential?> GetAsync(CancellationToken cancellationToken);
}
