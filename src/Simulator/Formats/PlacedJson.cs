// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Text.Json;

namespace Muster.Simulator.Formats;

/// <summary>
/// A JSON value that knows where it stands, because a broken file is refused with the line and the field. Getters throw
/// <see cref="WorkloadFormatException"/> when the value is not what they are asked for.
/// </summary>
internal sealed class PlacedJson
{
    private const int DepthMax = 64;

    private readonly JsonText _text;
    private readonly string _field;
    private readonly long _offset;
    private readonly JsonTokenType _kind;
    private readonly string? _string;
    private readonly double _number;
    private readonly Dictionary<string, PlacedJson>? _members;
    private readonly List<PlacedJson>? _items;

    private PlacedJson(JsonText text, string field, ref Utf8JsonReader reader)
    {
        _text = text;
        _field = field;
        _offset = reader.TokenStartIndex;
        _kind = reader.TokenType;
        switch (_kind)
        {
            case JsonTokenType.String:
                _string = reader.GetString();
                break;
            case JsonTokenType.Number:
                _number = reader.GetDouble();
                break;
            case JsonTokenType.StartObject:
                _members = ReadMembers(text, field, ref reader);
                break;
            case JsonTokenType.StartArray:
                _items = ReadItems(text, field, ref reader);
                break;
            default:
                break;
        }
    }

    public bool IsNull => _kind == JsonTokenType.Null;

    public bool IsNumber => _kind == JsonTokenType.Number;

    /// <summary>Parses a whole text.</summary>
    public static PlacedJson Parse(JsonText text)
    {
        var reader = new Utf8JsonReader(text.Utf8, new JsonReaderOptions { MaxDepth = DepthMax });
        try
        {
            reader.Read();
            var root = new PlacedJson(text, text.Prefix, ref reader);
            reader.Read();
            return root;
        }
        catch (JsonException broken)
        {
            throw new WorkloadFormatException(
                text.File, text.FirstLine + (broken.LineNumber ?? 0), text.Prefix.Length > 0 ? text.Prefix : "JSON",
                $"this is no JSON (byte {broken.BytePositionInLine ?? 0} of the line)");
        }
        catch (InvalidOperationException broken)
        {
            // A string with a lone surrogate, say.
            throw new WorkloadFormatException(
                text.File, text.LineAt(reader.TokenStartIndex), text.Prefix.Length > 0 ? text.Prefix : "JSON",
                broken.Message);
        }
    }

    public bool Has(string name) => _members is not null && _members.ContainsKey(name);

    /// <summary>A member that has to be there.</summary>
    public PlacedJson this[string name] => Optional(name)
        ?? throw new WorkloadFormatException(_text.File, _text.LineAt(_offset), Path(name), "it is missing");

    /// <summary>A member, or null when it is not there or null.</summary>
    public PlacedJson? Optional(string name)
    {
        if (_members is null)
        {
            throw Wrong("an object");
        }

        return _members.TryGetValue(name, out var value) && !value.IsNull ? value : null;
    }

    public IReadOnlyList<PlacedJson> Items => _items ?? throw Wrong("an array");

    public IReadOnlyDictionary<string, PlacedJson> Members => _members ?? throw Wrong("an object");

    public string Text => _string ?? throw Wrong("a string");

    /// <summary>A number from 0 up to a most.</summary>
    public double Amount(double most)
    {
        var value = _kind == JsonTokenType.Number ? _number : throw Wrong("a number");
        return value >= 0 && value <= most ? value : throw Bad($"{value} is not between 0 and {most}");
    }

    public int Whole(int least, int most)
    {
        var value = _kind == JsonTokenType.Number ? _number : throw Wrong("a number");
        return value >= least && value <= most && value == Math.Floor(value)
            ? (int)value
            : throw Bad($"{value} is not a whole number from {least} to {most}");
    }

    public WorkloadFormatException Bad(string problem) => new(_text.File, _text.LineAt(_offset), Field, problem);

    /// <summary>The text of this string as JSON of its own, which stands on this line.</summary>
    public PlacedJson Inner() =>
        Parse(new(_text.File, System.Text.Encoding.UTF8.GetBytes(Text), Field, _text.LineAt(_offset)));

    private string Field => _field.Length > 0 ? _field : "JSON";

    private WorkloadFormatException Wrong(string wanted) => Bad($"it is {Describe()}, not {wanted}");

    private string Describe() => _kind switch
    {
        JsonTokenType.String => "a string",
        JsonTokenType.Number => "a number",
        JsonTokenType.StartObject => "an object",
        JsonTokenType.StartArray => "an array",
        JsonTokenType.Null => "null",
        _ => "true or false",
    };

    private string Path(string name) => _field.Length > 0 ? $"{_field}.{name}" : name;

    private static Dictionary<string, PlacedJson> ReadMembers(JsonText text, string field, ref Utf8JsonReader reader)
    {
        var members = new Dictionary<string, PlacedJson>(StringComparer.Ordinal);
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            var name = reader.GetString()!;
            reader.Read();
            var path = field.Length > 0 ? $"{field}.{name}" : name;
            var value = new PlacedJson(text, path, ref reader);
            if (!members.TryAdd(name, value))
            {
                throw value.Bad("it is there twice");
            }
        }

        return members;
    }

    private static List<PlacedJson> ReadItems(JsonText text, string field, ref Utf8JsonReader reader)
    {
        var items = new List<PlacedJson>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            items.Add(new PlacedJson(text, $"{field}[{items.Count}]", ref reader));
        }

        return items;
    }
}
