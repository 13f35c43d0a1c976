using System.Reflection;
using System.Reflection.Emit;

namespace Paddock.Tests.Architecture;

/// <summary>What a type refers to: in its signatures, and in the instructions of its methods.</summary>
internal static class References
{
    private const BindingFlags All = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly Dictionary<short, OpCode> Codes = typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Where(f => f.FieldType == typeof(OpCode)).Select(f => (OpCode)f.GetValue(null)!).ToDictionary(code => code.Value);

    /// <summary>Every type that <paramref name="type"/> names, element types and arguments of generics included.</summary>
    public static HashSet<Type> Of(Type type)
    {
        HashSet<Type> seen = [];
        Add(seen, type.BaseType);
        foreach (Type contract in type.GetInterfaces())
            Add(seen, contract);
        foreach (FieldInfo field in type.GetFields(All))
            Add(seen, field.FieldType);
        foreach (MethodBase method in type.GetMethods(All).Cast<MethodBase>().Concat(type.GetConstructors(All)))
        {
            Add(seen, (method as MethodInfo)?.ReturnType);
            foreach (ParameterInfo parameter in method.GetParameters())
                Add(seen, parameter.ParameterType);
            AddBody(seen, type, method);
        }
        return seen;
    }

    private static void AddBody(HashSet<Type> seen, Type type, MethodBase method)
    {
        if (method.GetMethodBody() is not { } body || body.GetILAsByteArray() is not { } code)
            return;
        foreach (LocalVariableInfo local in body.LocalVariables)
            Add(seen, local.LocalType);
        Type[]? typeArguments = type.IsGenericType ? type.GetGenericArguments() : null, methodArguments = method.IsGenericMethod ? method.GetGenericArguments() : null;
        for (int at = 0; at < code.Length;)
        {
            short value = code[at++];
            if (value == 0xFE)
                value = (short)(0xFE00 | code[at++]);
            OpCode operation = Codes[value];
            switch (operation.OperandType)
            {
                case OperandType.InlineField or OperandType.InlineMethod or OperandType.InlineTok or OperandType.InlineType:
                    MemberInfo member = type.Module.ResolveMember(BitConverter.ToInt32(code, at), typeArguments, methodArguments)!;
                    Add(seen, member as Type ?? member.DeclaringType);
                    if (member is MethodInfo { IsGenericMethod: true } generic)
                        foreach (Type argument in generic.GetGenericArguments())
                            Add(seen, argument);
                    at += 4;
                    break;
                case OperandType.InlineSwitch:
                    at += 4 + 4 * BitConverter.ToInt32(code, at);
                    break;
                default:
                    at += operation.OperandType switch
                    {
                        OperandType.InlineNone => 0,
                        OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                        OperandType.InlineVar => 2,
                        OperandType.InlineI8 or OperandType.InlineR => 8,
                        _ => 4,
                    };
                    break;
            }
        }
    }

    private static void Add(HashSet<Type> seen, Type? type)
    {
        while (type is { HasElementType: true })
            type = type.GetElementType();
        if (type == null || type.IsGenericParameter || type.IsFunctionPointer)
            return;
        if (type.IsGenericType)
            foreach (Type argument in type.GetGenericArguments())
                if (!argument.IsGenericParameter && !seen.Contains(argument))
                    Add(seen, argument);
        seen.Add(type.IsGenericType ? type.GetGenericTypeDefinition() : type);
    }
}
