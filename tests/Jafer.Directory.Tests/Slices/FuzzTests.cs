using Google.Protobuf;
using Grpc.Core;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Directory.Domain;
using Jafer.ServiceDefaults;
using Jafer.Testing;
using static Jafer.Directory.Tests.Slices.DirectoryFixture;

namespace Jafer.Directory.Tests.Slices;

/// <summary>Whatever a client sends, the answer is a status of the contract.</summary>
public class FuzzTests(DirectoryFixture directory) : IClassFixture<DirectoryFixture>
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task AnyRpc_RandomRequests_NeverFaults(int seed)
    {
        await directory.ImportAsync(Espace("fuzz"), Espace("fuzz2", "38185"));
        string[] known = [IdOf("fuzz").ToString(), StableIds.Gestionnaire("test", "G-fuzz").ToString(), "69123", "69", "tj69123", "97411", "69001", "test"];

        Assert.Empty(await Fuzz.FaultsAsync(
            [directory.Operateur, directory.Court, directory.Gestionnaire("G-fuzz")], DirectoryService.Descriptor, seed, 60, known));
    }

    [Fact]
    public async Task ImportEspaces_OneFieldReplacedByARandomOne_NeverFaults()
    {
        var random = new Random(7);
        string[] known = ["69123", "69", "L1", "1", "73282932000074", "a@example.org"];
        var imported = 0;
        for (var i = 0; i < 400; i++)
        {
            var import = EspaceContentTests.Whole("part");
            IMessage[] parts =
            [
                import, import.Gestionnaire, import.Gestionnaire.Contacts[0], import.Agrements[0], import.Lieux[0], import.Modalites[0], import.Modalites[0].DeclaredWait,
                import.Lieux[0].Dessertes[0], import.Modalites[0].Periodicities[0], import.Accueil, import.Accueil.Entretiens[0], import.Accueil.Reglement,
                import.Ouvertures[0], import.Ouvertures[0].StartTime, import.Ouvertures[0].StartDate, import.Fermetures[0], import.Fermetures[0].EndDate,
            ];
            var part = parts[i % parts.Length];
            // A version that is well-formed and not the present one has a refusal of its own.
            var fields = part.Descriptor.Fields.InDeclarationOrder().Where(f => !f.IsRepeated && !f.Name.EndsWith("etag", StringComparison.Ordinal)).ToList();
            var field = fields[random.Next(fields.Count)];
            var odd = field.Accessor.GetValue(Fuzz.Message(part.Descriptor, random, known));
            if (odd is null)
                field.Accessor.Clear(part);
            else
                field.Accessor.SetValue(part, odd);
            var call = directory.Operateur.ImportEspacesAsync(Request(import), cancellationToken: Cancel).ResponseAsync;
            if (await Task.WhenAny(call) is { IsFaulted: true })
                Assert.Equal(("REQUEST_INVALID", StatusCode.InvalidArgument), await Refusal.OfAsync(() => call) is var r ? (r.Reason, r.Code) : default);
            else
                imported++;
        }
        Assert.InRange(imported, 50, 350);
        await directory.Court.GetEspaceAsync(new() { EspaceId = IdOf("part").ToString() }, cancellationToken: Cancel);
    }

    [Fact]
    public async Task UpdateEspace_OneFieldReplacedByARandomOne_NeverFaults()
    {
        await directory.ImportAsync(EspaceContentTests.Whole("updated"));
        var read = (await directory.Court.GetEspaceAsync(new() { EspaceId = IdOf("updated").ToString() }, cancellationToken: Cancel)).Espace;
        var random = new Random(11);
        string[] known = ["69123", "69", "L1", "1", "tj69123"];
        string[] mask = ["name", "state", "legal_form", "agrements", "lieux", "modalites", "alert_text", "accueil", "ouvertures", "fermetures"];
        var updated = 0;
        for (var i = 0; i < 200; i++)
        {
            var espace = read.Clone();
            IMessage[] parts =
            [
                espace, espace.Agrements[0], espace.Lieux[0], espace.Modalites[0], espace.Accueil, espace.Ouvertures[0], espace.Ouvertures[0].EndTime, espace.Fermetures[0],
            ];
            var part = parts[i % parts.Length];
            var fields = part.Descriptor.Fields.InDeclarationOrder().Where(f => !f.IsRepeated && f.Name != "espace_id").ToList();
            var field = fields[random.Next(fields.Count)];
            if (field.Accessor.GetValue(Fuzz.Message(part.Descriptor, random, known)) is { } odd)
                field.Accessor.SetValue(part, odd);
            else
                field.Accessor.Clear(part);
            var request = new UpdateEspaceRequest { Espace = espace, UpdateMask = new(), RequestId = NewId() };
            request.UpdateMask.Paths.Add(mask);
            var call = directory.Gestionnaire("G-updated").UpdateEspaceAsync(request, cancellationToken: Cancel).ResponseAsync;
            if (await Task.WhenAny(call) is { IsFaulted: true })
                Assert.Equal("REQUEST_INVALID", (await Refusal.OfAsync(() => call)).Reason);
            else
                updated++;
        }
        Assert.InRange(updated, 20, 180);
    }

    [Fact]
    public async Task Reads_FirstAndLastDaysOfTheCalendar_NeitherFaultNorOverflow()
    {
        var import = EspaceContentTests.Whole("ends");
        import.ConfirmedDate = new Date { Year = 1900, Month = 1, Day = 1 };
        import.Ouvertures[0].StartDate = import.ConfirmedDate;
        import.Ouvertures[0].EndTime = new TimeOfDay { Hours = 24 };
        import.Fermetures.Clear();
        await directory.ImportAsync(import);
        var id = IdOf("ends").ToString();

        Assert.Equal(StatusCode.NotFound, (await Refusal.OfAsync(directory.Court.GetEspaceAsync(new() { EspaceId = id, AsOfDate = import.ConfirmedDate }, cancellationToken: Cancel))).Code);
        var first = await directory.Court.ListOuverturesOnAsync(new() { EspaceId = id, StartDate = import.ConfirmedDate }, cancellationToken: Cancel);
        Assert.Equal(4, first.Ouvertures.Count);
        var last = directory.Court.ListOuverturesOnAsync(
            new() { EspaceId = id, StartDate = new Date { Year = 9999, Month = 12, Day = 1 }, EndDate = new Date { Year = 9999, Month = 12, Day = 31 } }, cancellationToken: Cancel);
        Assert.Equal(["start_date", "end_date"], (await Refusal.OfAsync(last)).Fields);
    }

    [Fact]
    public async Task SearchEspaces_LastDaysOfTheCalendar_NeitherFaultNorOverflow()
    {
        var last = new Date { Year = 9999, Month = 12, Day = 31 };
        var import = Espace("calendar", wait: Wait.MaxDays, modalite: Modalite.VisiteTiers);
        import.Agrements[0].EndDate = last;
        import.Agrements.Add(new Contracts.Directory.V1.Agrement { Departement = "69", State = AgrementState.Demande, RequestDate = last });
        await directory.ImportAsync(import);

        var response = await directory.Court.SearchEspacesAsync(new() { Mesure = new() { Modalite = Modalite.VisiteTiers, DecisionDate = last } }, cancellationToken: Cancel);

        Assert.Equal(last, Assert.Single(response.Results).ExpectedFirstVisitDate);
        Assert.Equal(ResultWarningCode.AgrementEnds, Assert.Single(response.Results[0].Warnings).Code);
    }

    [Fact]
    public async Task ImportEspaces_SourceWithALineEnd_IsRefused()
    {
        var request = Request(Espace("line-end"));
        request.Source = "test\n";
        Assert.Equal(["source"], (await Refusal.OfAsync(directory.Operateur.ImportEspacesAsync(request, cancellationToken: Cancel))).Fields);
    }
}
