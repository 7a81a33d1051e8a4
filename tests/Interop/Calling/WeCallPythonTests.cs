// SPDX-License-Identifier: Apache-2.0
using Xunit;

namespace Muster.Interop.Calling;

public sealed class WeCallPythonTests(CalledPython called) : WeCallPeer(called), IClassFixture<CalledPython>;
