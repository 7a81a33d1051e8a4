// SPDX-License-Identifier: Apache-2.0
using System.IO;
using System.Net;
using System.Net.Http;
using System.Threading.Tasks;

namespace Muster.Unit.Endpoint;

/// <summary>A request body that sends its first bytes and stays open until it is ended.</summary>
internal sealed class OpenContent(byte[] first) : HttpContent
{
    private readonly TaskCompletionSource _end = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void End() => _end.TrySetResult();

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
    {
        await stream.WriteAsync(first);
        await stream.FlushAsync();
        await _end.Task;
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }

    protected override void Dispose(bool disposing)
    {
        End();
        base.Dispose(disposing);
    }
}
