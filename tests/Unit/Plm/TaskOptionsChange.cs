// SPDX-License-Identifier: Apache-2.0
using Muster.Plm;

namespace Muster.Unit.Plm;

/// <summary>Changes the options of a test's batch before they are checked.</summary>
internal delegate void TaskOptionsChange(ref TaskOptionsView view);
