// SPDX-License-Identifier: Apache-2.0
using System;
using System.Text;

namespace Grpc.Core;

/// <summary>One proven fact about the peer, for example a name in its certificate.</summary>
internal sealed class AuthProperty
{
    private readonly byte[] _value;

    private AuthProperty(string name, byte[] value)
    {
        Name = name;
        _value = value;
    }

    public string Name { get; }

    public string Value => Encoding.UTF8.GetString(_value);

    public byte[] ValueBytes => (byte[])_value.Clone();

    public static AuthProperty Create(string name, byte[] valueBytes)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(valueBytes);
        return new(name, (byte[])valueBytes.Clone());
    }
}
