using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Testing;
using Xunit;
using static Jafer.Mesures.Tests.MesuresFixture;

namespace Jafer.Mesures.Tests.Slices;

/// <summary>Every wrong field is named at once, by its path in the proto.</summary>
public sealed class BadInputTests(MesuresFixture jafer)
{
    private static readonly string s_long = new('x', 5000);
    private static readonly Timestamp s_future = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddDays(3));

    public static TheoryData<string> AllRpcs => new(MesureService.Descriptor.Methods.Select(m => m.Name));

    [Fact]
    public async Task CreateMesure_EverythingWrong_NamesEveryField()
    {
        var request = new CreateMesureRequest
        {
            Decision = new Decision
            {
                Nature = (DecisionNature)99,
                RgNumber = s_long,
                DecisionDate = new Date { Year = 2026, Month = 2, Day = 30 },
                LegalBasis = (LegalBasis)99,
                JudgeName = "a\0b",
                DurationMonths = 61,
                Periodicity = new Periodicity { RencontreCount = 0, IntervalCount = 13 },
                RencontreMinutes = 4,
                Situations = { SituationParticuliere.Addiction, SituationParticuliere.Unspecified },
                PrincipalSituation = SituationParticuliere.ViolencesIntrafamiliales,
                TiersDeConfiance = new TiersDeConfiance(),
                SubsidiaryEspaceId = "x",
                ContactDeadline = new Date { Year = 1, Month = 1, Day = 1 },
            },
            EspaceId = "not-a-uuid",
            RequestId = "",
        };
        request.Parties.Add(new Party { Role = PartyRole.Hote, FamilyName = "A", Phone = "call me", Email = "@", CommuneInsee = "1", InterpreterLanguage = "FRENCH" });
        request.Parties.Add(new Party { Role = PartyRole.Hote });
        request.Parties.Add(new Party { Role = PartyRole.Enfant, FamilyName = "B" });
        request.Children.Add(new Child { BirthDate = new Date { Year = 2999, Month = 1, Day = 1 } });

        var refusal = await Refusal.OfAsync(jafer.AsCourt.CreateMesureAsync(request));

        Assert.Equal((StatusCode.InvalidArgument, "REQUEST_INVALID"), (refusal.Code, refusal.Reason));
        Assert.Equal(
            new[]
            {
                "request_id", "espace_id", "decision.nature", "decision.rg_number", "decision.decision_date", "decision.legal_basis", "decision.judge_name", "decision.duration_months",
                "decision.periodicity.rencontre_count", "decision.periodicity.interval_count", "decision.periodicity.unit", "decision.rencontre_minutes",
                "decision.situations[1]", "decision.principal_situation", "decision.tiers_de_confiance.full_name", "decision.subsidiary_espace_id", "decision.contact_deadline",
                "parties[0].phone", "parties[0].email", "parties[0].commune_insee", "parties[0].interpreter_language", "parties[1].role", "parties[1].family_name", "parties[2].role",
                "children[0].birth_date", "children[0].given_name",
            }.Order(StringComparer.Ordinal),
            refusal.Fields.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task UpdateMesure_PartiesAsTheyWereReadWithAMaskedAddress_AreRefused()
    {
        var id = await jafer.MesureInAsync(MesureState.Ordonnee, r =>
        {
            r.Parties[0].Address = "1 rue Cachée";
            r.Parties[0].AddressProtected = true;
        });
        var update = new UpdateMesureRequest { MesureId = id, Parties = new PartyList(), RequestId = NewId() };
        update.Parties.Parties.Add((await jafer.GetAsync(id)).Parties);

        Assert.Equal(["parties.parties[0].address"], (await Refusal.OfAsync(jafer.AsCourt.UpdateMesureAsync(update))).Fields);
    }

    [Fact]
    public async Task CreateMesure_RefusedValue_IsNotRepeatedInTheError()
    {
        var refusal = await Refusal.OfAsync(jafer.AsCourt.CreateMesureAsync(Content(r => r.Parties[0].Email = "secret-dupont")));

        Assert.DoesNotContain("dupont", refusal.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(AllRpcs))]
    public async Task AnyRpc_EmptyRequest_IsRefusedByFieldsOrListsAll(string rpc)
    {
        var empty = (Google.Protobuf.IMessage)Activator.CreateInstance(MesureService.Descriptor.FindMethodByName(rpc).InputType.ClrType)!;
        if (rpc == "ListMesures")
        {
            await Requests.CallAsync(jafer.AsCourt, rpc, empty);
            return;
        }

        foreach (var client in new[] { jafer.AsCourt, jafer.AsEspace })
        {
            var refusal = await Refusal.OfAsync(() => Requests.CallAsync(client, rpc, empty));
            if (refusal.Code == StatusCode.PermissionDenied)
            {
                continue;
            }

            Assert.Equal((StatusCode.InvalidArgument, "REQUEST_INVALID"), (refusal.Code, refusal.Reason));
            var inputs = MesureService.Descriptor.FindMethodByName(rpc).InputType;
            foreach (var field in new[] { "mesure_id", "request_id" }.Where(f => inputs.FindFieldByName(f) is not null))
            {
                Assert.Contains(field, refusal.Fields);
            }

            return;
        }

        Assert.Fail("no role may call it");
    }

    [Theory]
    [MemberData(nameof(AllRpcs))]
    public async Task AnyRpc_BusinessTimeTooFarAhead_IsRefused(string rpc)
    {
        var input = MesureService.Descriptor.FindMethodByName(rpc).InputType;
        if (input.FindFieldByName("occurred_time") is not { } field)
        {
            return;
        }

        var request = Requests.For(rpc, NewId());
        field.Accessor.SetValue(request, s_future);
        var refusal = await Refusal.OfAsync(() => Requests.CallAsync(rpc is "ProvideInformation" or "TransmitMesure" ? jafer.AsCourt : jafer.AsEspace, rpc, request));

        Assert.Equal(["occurred_time"], refusal.Fields);
    }

    [Fact]
    public async Task RecordRencontreOutcome_HeldWithoutAnybody_NamesBothFields()
    {
        var request = new RecordRencontreOutcomeRequest { MesureId = NewId(), RencontreId = NewId(), Outcome = RencontreOutcome.Held, RequestId = NewId() };

        Assert.Equal(["visiteur_present", "present_child_ids"], (await Refusal.OfAsync(jafer.AsEspace.RecordRencontreOutcomeAsync(request))).Fields);
    }

    [Fact]
    public async Task RecordRencontreOutcome_ChildrenAndRencontreOfAnotherMesure_AreRefused()
    {
        var id = await jafer.MesureInAsync(MesureState.Programmee);

        var refusal = await Refusal.OfAsync(jafer.AsEspace.RecordRencontreOutcomeAsync(new RecordRencontreOutcomeRequest
        {
            MesureId = id,
            RencontreId = NewId(),
            Outcome = RencontreOutcome.Held,
            VisiteurPresent = true,
            PresentChildIds = { NewId() },
            RequestId = NewId(),
        }));

        Assert.Equal(["present_child_ids[0]", "rencontre_id"], refusal.Fields);
    }

    [Theory]
    [InlineData("Europe/Nowhere")]
    [InlineData("UTC+2")]
    [InlineData("../../etc/passwd")]
    public async Task ScheduleRencontre_UnknownZone_IsRefused(string zone)
    {
        var request = new ScheduleRencontreRequest { MesureId = NewId(), StartTime = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow()), DurationMinutes = 60, TimeZone = zone, RequestId = NewId() };

        Assert.Equal(["time_zone"], (await Refusal.OfAsync(jafer.AsEspace.ScheduleRencontreAsync(request))).Fields);
    }

    [Theory]
    [InlineData(ClosureReason.JugeRapportee, false)]
    [InlineData(ClosureReason.SansSuiteRefusHote, true)]
    public async Task CloseMesure_ReasonOfTheOtherRole_IsRefused(ClosureReason reason, bool byCourt)
    {
        var request = new CloseMesureRequest { MesureId = NewId(), Reason = reason, RequestId = NewId() };

        Assert.Equal(["reason"], (await Refusal.OfAsync((byCourt ? jafer.AsCourt : jafer.AsEspace).CloseMesureAsync(request))).Fields);
    }
}
