// SPDX-License-Identifier: Apache-2.0
namespace Grpc.Core;

/// <summary>Carries deadline and cancellation of a server call to the calls made for it; made by the server.</summary>
internal abstract class ContextPropagationToken;
