using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Google.Protobuf.WellKnownTypes;
using Jafer.Notifications.Domain;

namespace Jafer.Notifications.Tests.Domain;

public sealed class EventDataTests
{
    private static readonly Gen<string> s_text = ArbMap.Default.GeneratorFor<UnicodeString>().Select(s => s.Get ?? "");

    [Fact]
    public void Read_AnyObject_IsWhatProtobufsOwnReaderGives() => Prop.ForAll(
        Object(3).ToArbitrary(), fields => Equals(Struct.Parser.ParseJson(Json(fields)), EventData.Read(Encoding.UTF8.GetBytes(Json(fields))))).QuickCheckThrowOnFailure();

    private static string Json(IReadOnlyDictionary<string, object?> fields) => JsonSerializer.Serialize(fields);

    private static Gen<Dictionary<string, object?>> Object(int depth) =>
        from names in s_text.ListOf().Select(n => n.Distinct().Take(5).ToList())
        from values in Any(depth).ListOf(names.Count)
        select names.Zip(values).ToDictionary(p => p.First, p => p.Second);

    private static Gen<object?> Any(int depth)
    {
        var plain = new List<Gen<object?>>
        {
            s_text.Select(s => (object?)s), Gen.Choose(-1000, 1000).Select(n => (object?)n), Gen.Choose(0, 1000).Select(n => (object?)(n / 7.0)),
            Gen.Elements<object?>(true, false, null),
        };
        return depth == 0
            ? Gen.OneOf(plain)
            : Gen.OneOf([.. plain, Object(depth - 1).Select(o => (object?)o), Any(depth - 1).ListOf().Select(l => (object?)l.Take(4).ToList())]);
    }
}
