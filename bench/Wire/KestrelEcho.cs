// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers;
using System.Threading.Tasks;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;

namespace Muster.Wire;

/// <summary>The least that an echo costs on Kestrel's HTTP/2: bytes from one pipe to the other, without a look at
/// messages.</summary>
internal sealed class KestrelEcho : IHttpApplication<IFeatureCollection>
{
    public IFeatureCollection CreateContext(IFeatureCollection contextFeatures) => contextFeatures;

    public async Task ProcessRequestAsync(IFeatureCollection context)
    {
        var response = context.Get<IHttpResponseFeature>()!;
        response.Headers.ContentType = "application/grpc";
        var body = context.Get<IHttpResponseBodyFeature>()!;
        await body.StartAsync();
        await body.Writer.FlushAsync();
        var reader = context.Get<IRequestBodyPipeFeature>()!.Reader;
        while (true)
        {
            var read = await reader.ReadAsync();
            foreach (var segment in read.Buffer)
            {
                body.Writer.Write(segment.Span);
            }

            reader.AdvanceTo(read.Buffer.End);
            await body.Writer.FlushAsync();
            if (read.IsCompleted)
            {
                break;
            }
        }

        context.Get<IHttpResponseTrailersFeature>()!.Trailers["grpc-status"] = "0";
    }

    public void DisposeContext(IFeatureCollection context, Exception? exception)
    {
    }
}
