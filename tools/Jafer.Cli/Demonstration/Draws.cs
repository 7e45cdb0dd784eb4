using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Jafer.Cli.Demonstration;

/// <summary>
/// Random numbers that depend on the seed and on what they are drawn for, and on nothing else: a question added or asked in
/// another order changes no other answer, on any machine.
/// </summary>
/// <param name="seed">Seed of the whole demonstration.</param>
/// <param name="subject">What is drawn for, such as "A69-1".</param>
internal sealed class Draws(int seed, string subject)
{
    /// <summary>A number from 0 (included) to 1 (excluded), always the same for the same question.</summary>
    public double Unit(string question)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{seed}:{subject}:{question}"));
        return (BinaryPrimitives.ReadUInt64BigEndian(hash) >> 11) * Math.ScaleB(1, -53);
    }

    /// <summary>True with the given probability.</summary>
    public bool Chance(string question, double probability) => Unit(question) < probability;

    /// <summary>A whole number, both ends included.</summary>
    public int Between(string question, int min, int max) => min + (int)(Unit(question) * (max - min + 1));

    /// <summary>One of the choices, all as likely.</summary>
    public T Of<T>(string question, params ReadOnlySpan<T> choices) => choices[Between(question, 0, choices.Length - 1)];

    /// <summary>A factor around 1: its logarithm is spread normally by the given deviation.</summary>
    public double Factor(string question, double deviation)
    {
        var radius = Math.Sqrt(-2 * Math.Log(1 - Unit(question + ":r")));
        return Math.Exp(deviation * radius * Math.Cos(2 * Math.PI * Unit(question + ":a")));
    }
}
