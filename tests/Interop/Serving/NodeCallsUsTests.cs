// SPDX-License-Identifier: Apache-2.0
using Xunit;

namespace Muster.Interop.Serving;

public sealed class NodeCallsUsTests(ServedNode served) : PeerCallsUs(served), IClassFixture<ServedNode>;
