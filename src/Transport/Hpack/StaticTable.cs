// SPDX-License-Identifier: Apache-2.0
namespace Muster.Transport.Hpack;

/// <summary>The table of RFC 7541 appendix A. The first index is 1.</summary>
internal static class StaticTable
{
    public const int Authority = 1;
    public const int MethodPost = 3;
    public const int Path = 4;
    public const int SchemeHttp = 6;
    public const int SchemeHttps = 7;
    public const int ContentType = 31;
    public const int UserAgent = 58;

    private static readonly HeaderField[] s_fields =
    [
        new(":authority"u8, ""u8),
        new(":method"u8, "GET"u8),
        new(":method"u8, "POST"u8),
        new(":path"u8, "/"u8),
        new(":path"u8, "/index.html"u8),
        new(":scheme"u8, "http"u8),
        new(":scheme"u8, "https"u8),
        new(":status"u8, "200"u8),
        new(":status"u8, "204"u8),
        new(":status"u8, "206"u8),
        new(":status"u8, "304"u8),
        new(":status"u8, "400"u8),
        new(":status"u8, "404"u8),
        new(":status"u8, "500"u8),
        new("accept-charset"u8, ""u8),
        new("accept-encoding"u8, "gzip, deflate"u8),
        new("accept-language"u8, ""u8),
        new("accept-ranges"u8, ""u8),
        new("accept"u8, ""u8),
        new("access-control-allow-origin"u8, ""u8),
        new("age"u8, ""u8),
        new("allow"u8, ""u8),
        new("authorization"u8, ""u8),
        new("cache-control"u8, ""u8),
        new("content-disposition"u8, ""u8),
        new("content-encoding"u8, ""u8),
        new("content-language"u8, ""u8),
        new("content-length"u8, ""u8),
        new("content-location"u8, ""u8),
        new("content-range"u8, ""u8),
        new("content-type"u8, ""u8),
        new("cookie"u8, ""u8),
        new("date"u8, ""u8),
        new("etag"u8, ""u8),
        new("expect"u8, ""u8),
        new("expires"u8, ""u8),
        new("from"u8, ""u8),
        new("host"u8, ""u8),
        new("if-match"u8, ""u8),
        new("if-modified-since"u8, ""u8),
        new("if-none-match"u8, ""u8),
        new("if-range"u8, ""u8),
        new("if-unmodified-since"u8, ""u8),
        new("last-modified"u8, ""u8),
        new("link"u8, ""u8),
        new("location"u8, ""u8),
        new("max-forwards"u8, ""u8),
        new("proxy-authenticate"u8, ""u8),
        new("proxy-authorization"u8, ""u8),
        new("range"u8, ""u8),
        new("referer"u8, ""u8),
        new("refresh"u8, ""u8),
        new("retry-after"u8, ""u8),
        new("server"u8, ""u8),
        new("set-cookie"u8, ""u8),
        new("strict-transport-security"u8, ""u8),
        new("transfer-encoding"u8, ""u8),
        new("user-agent"u8, ""u8),
        new("vary"u8, ""u8),
        new("via"u8, ""u8),
        new("www-authenticate"u8, ""u8),
    ];

    public static int Count => s_fields.Length;

    public static HeaderField Get(int index) => s_fields[index - 1];
}
