// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Identity.Credentials;

/// <summary>What an identity may do. Nothing is allowed that is not granted.</summary>
[Flags]
internal enum Rights
{
    None = 0,

    /// <summary>Submit tasks; see, await and forget its own.</summary>
    Submit = 1,

    /// <summary>See everybody's tasks, the workers and the cell.</summary>
    Read = 2,

    /// <summary>Cancel its own tasks.</summary>
    Cancel = 4,

    /// <summary>Submit its own quarantined tasks anew.</summary>
    Retry = 8,

    /// <summary>See, cancel, retry and forget everybody's tasks.</summary>
    Operate = 16,

    /// <summary>Everything.</summary>
    Admin = 32,

    /// <summary>Take tasks of a pool and report their results.</summary>
    Work = 64,

    All = Submit | Read | Cancel | Retry | Operate | Admin | Work,
}
