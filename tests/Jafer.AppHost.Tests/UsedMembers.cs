using System.Collections.Immutable;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace Jafer.AppHost.Tests;

/// <summary>Reads from a compiled assembly which members of which types it calls, written as signatures with full names.</summary>
internal static class UsedMembers
{
    /// <summary>
    /// The members of types whose namespace begins so, each as <c>Result Declaring.Type::Name(Parameters)</c>, sorted.
    /// Generic parameters are <c>!0</c> (of the type) and <c>!!0</c> (of the method).
    /// </summary>
    public static SortedSet<string> Read(string assembly, string namespacePrefix)
    {
        using var file = new PEReader(File.OpenRead(assembly));
        var metadata = file.GetMetadataReader();
        var names = new Names();
        var found = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var handle in metadata.MemberReferences)
        {
            var member = metadata.GetMemberReference(handle);
            var declaring = member.Parent.Kind switch
            {
                HandleKind.TypeReference => names.GetTypeFromReference(metadata, (TypeReferenceHandle)member.Parent, 0),
                HandleKind.TypeSpecification => Open(metadata.GetTypeSpecification((TypeSpecificationHandle)member.Parent).DecodeSignature(names, null)),
                _ => "",
            };
            if (!declaring.StartsWith(namespacePrefix, StringComparison.Ordinal))
                continue;
            var name = metadata.GetString(member.Name);
            if (member.GetKind() == MemberReferenceKind.Field)
            {
                found.Add($"{member.DecodeFieldSignature(names, null)} {declaring}::{name}");
                continue;
            }
            var signature = member.DecodeMethodSignature(names, null);
            var arity = signature.GenericParameterCount > 0 ? $"<{signature.GenericParameterCount}>" : "";
            found.Add($"{signature.ReturnType} {declaring}::{name}{arity}({string.Join(", ", signature.ParameterTypes)})");
        }
        return found;
    }

    /// <summary>The declaring type without the arguments with which it was used.</summary>
    private static string Open(string type) => type.Contains('<', StringComparison.Ordinal) ? type[..type.IndexOf('<', StringComparison.Ordinal)] : type;

    private sealed class Names : ISignatureTypeProvider<string, object?>
    {
        public string GetPrimitiveType(PrimitiveTypeCode typeCode) => typeCode.ToString();
        public string GetSZArrayType(string elementType) => elementType + "[]";
        public string GetArrayType(string elementType, ArrayShape shape) => $"{elementType}[{shape.Rank}]";
        public string GetByReferenceType(string elementType) => elementType + "&";
        public string GetPointerType(string elementType) => elementType + "*";
        public string GetPinnedType(string elementType) => elementType;
        public string GetGenericInstantiation(string genericType, ImmutableArray<string> typeArguments) => $"{genericType}<{string.Join(", ", typeArguments)}>";
        public string GetGenericMethodParameter(object? genericContext, int index) => $"!!{index}";
        public string GetGenericTypeParameter(object? genericContext, int index) => $"!{index}";
        public string GetFunctionPointerType(MethodSignature<string> signature) => "fnptr";
        public string GetModifiedType(string modifier, string unmodifiedType, bool isRequired) => unmodifiedType;

        public string GetTypeFromDefinition(MetadataReader reader, TypeDefinitionHandle handle, byte rawTypeKind)
        {
            var type = reader.GetTypeDefinition(handle);
            return Name(reader, type.Namespace, type.Name);
        }

        public string GetTypeFromReference(MetadataReader reader, TypeReferenceHandle handle, byte rawTypeKind)
        {
            var type = reader.GetTypeReference(handle);
            return type.ResolutionScope.Kind == HandleKind.TypeReference
                ? $"{GetTypeFromReference(reader, (TypeReferenceHandle)type.ResolutionScope, 0)}+{reader.GetString(type.Name)}"
                : Name(reader, type.Namespace, type.Name);
        }

        public string GetTypeFromSpecification(MetadataReader reader, object? genericContext, TypeSpecificationHandle handle, byte rawTypeKind) =>
            reader.GetTypeSpecification(handle).DecodeSignature(this, genericContext);

        private static string Name(MetadataReader reader, StringHandle ns, StringHandle name) =>
            ns.IsNil ? reader.GetString(name) : $"{reader.GetString(ns)}.{reader.GetString(name)}";
    }
}
