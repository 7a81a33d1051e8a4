// SPDX-License-Identifier: Apache-2.0
namespace Muster.Cli.Cells;

/// <summary>Which cell a command speaks to, and how it prints.</summary>
/// <param name="Address">Asked for by --address or MUSTER_ADDRESS; null when neither was given.</param>
/// <param name="Cell">Name of a cell on this host.</param>
/// <param name="IsCellGiven">The name was asked for, so another cell will not do.</param>
/// <param name="IsJson">For programs.</param>
internal sealed record CellTarget(string? Address, string Cell, bool IsCellGiven, bool IsJson);
