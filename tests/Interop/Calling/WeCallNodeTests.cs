// SPDX-License-Identifier: Apache-2.0
using Xunit;

namespace Muster.Interop.Calling;

public sealed class WeCallNodeTests(CalledNode called) : WeCallPeer(called), IClassFixture<CalledNode>;
