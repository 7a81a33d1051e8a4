// SPDX-License-Identifier: Apache-2.0
using Xunit;

namespace Muster.Interop.Serving;

public sealed class PythonCallsUsTests(ServedPython served) : PeerCallsUs(served), IClassFixture<ServedPython>;
