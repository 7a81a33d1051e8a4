// SPDX-License-Identifier: Apache-2.0
namespace Muster.Arena.Native;

/// <summary>Which part of a start failed.</summary>
internal enum SpawnStage
{
    /// <summary>None.</summary>
    Started,

    /// <summary>Making the process, in its control group.</summary>
    Process,

    /// <summary>Joining a control group of version 1.</summary>
    Cgroup,

    /// <summary>Limits, user, privileges, standard streams.</summary>
    Confinement,

    /// <summary>Changing the folder.</summary>
    Folder,

    /// <summary>Loading the program.</summary>
    Program,
}
