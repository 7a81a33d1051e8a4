// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;
using System.Text;

namespace Muster.Tidy;

/// <summary>Describes what an assembly shows to its users, one line a member, in a stable order.</summary>
internal static class PublicApi
{
    private const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static
        | BindingFlags.DeclaredOnly;

    public static string Describe(Assembly assembly)
    {
        var text = new StringBuilder();
        foreach (var type in assembly.GetExportedTypes().OrderBy(type => type.FullName, StringComparer.Ordinal))
        {
            text.Append(type.IsInterface ? "interface " : type.IsValueType ? "struct " : "class ");
            text.Append(Name(type)).Append('\n');
            foreach (var member in Members(type).Order(StringComparer.Ordinal))
            {
                text.Append("  ").Append(member).Append('\n');
            }
        }

        return text.ToString();
    }

    private static IEnumerable<string> Members(Type type)
    {
        if (type.IsEnum)
        {
            return Enum.GetNames(type).Select(name => $"{name} = {Convert.ToInt64(Enum.Parse(type, name), null)}");
        }

        var methods = type.GetMethods(Declared)
            .Where(method => IsVisible(method) && !method.IsSpecialName)
            .Select(method => $"{Name(method.ReturnType)} {method.Name}{Generic(method)}({Parameters(method)})");
        var constructors = type.GetConstructors(Declared)
            .Where(IsVisible)
            .Select(constructor => $"new({Parameters(constructor)})");
        var properties = type.GetProperties(Declared)
            .Where(property => property.GetAccessors(true).Any(IsVisible))
            .Select(property => $"{Name(property.PropertyType)} {property.Name} {{{Accessors(property)}}}");
        var fields = type.GetFields(Declared)
            .Where(field => field.IsPublic || field.IsFamily)
            .Select(field => $"{Name(field.FieldType)} {field.Name}");
        return methods.Concat(constructors).Concat(properties).Concat(fields);
    }

    private static bool IsVisible(MethodBase method) =>
        (method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly) && !method.Name.Contains('<');

    private static string Accessors(PropertyInfo property) =>
        (property.GetMethod is { } get && IsVisible(get) ? " get;" : "")
        + (property.SetMethod is { } set && IsVisible(set) ? " set;" : "") + " ";

    private static string Generic(MethodInfo method) =>
        method.IsGenericMethod ? $"<{string.Join(", ", method.GetGenericArguments().Select(Name))}>" : "";

    private static string Parameters(MethodBase method) =>
        string.Join(
            ", ", method.GetParameters().Select(parameter => $"{Name(parameter.ParameterType)} {parameter.Name}"));

    private static string Name(Type type)
    {
        if (type.IsGenericParameter)
        {
            return type.Name;
        }

        if (!type.IsGenericType)
        {
            return type.FullName ?? type.Name;
        }

        var name = type.GetGenericTypeDefinition().FullName!;
        return $"{name[..name.IndexOf('`')]}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>";
    }
}
