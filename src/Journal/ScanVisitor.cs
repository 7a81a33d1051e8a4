// SPDX-License-Identifier: Apache-2.0
namespace Muster.Journal;

/// <summary>Gets each record of a scan, marks included; false ends the scan.</summary>
internal delegate bool ScanVisitor(in ScannedRecord record);
