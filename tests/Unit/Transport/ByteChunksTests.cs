// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using Muster.Transport.Wire;
using Xunit;

namespace Muster.Unit.Transport;

public class ByteChunksTests
{
    [Fact]
    public void Copy_ManyOfEverySize_EachKeepsItsBytes()
    {
        var random = new Random(1);
        var chunks = new ByteChunks();
        var source = new byte[20_000];
        var kept = new List<(byte[] Expected, ReadOnlyMemory<byte> Copy)>();
        for (var i = 0; i < 2_000; i++)
        {
            var bytes = source.AsSpan(0, random.Next(10) == 0 ? random.Next(source.Length) : random.Next(200));
            random.NextBytes(bytes);
            kept.Add((bytes.ToArray(), chunks.Copy(bytes)));
        }

        foreach (var (expected, copy) in kept)
        {
            Assert.Equal(expected, copy.ToArray());
        }
    }
}
