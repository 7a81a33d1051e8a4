// SPDX-License-Identifier: Apache-2.0
using Muster.Core;
using Muster.Journal;

namespace Muster.Server.PlmHosting;

/// <summary>Opens a cell's journal for writing, or says why not.</summary>
internal delegate Fault JournalOpener(out IJournal? journal);
