using Google.Protobuf;
using Google.Protobuf.Reflection;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Operations.V1;
using Jafer.Contracts.Type.V1;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.Testing;
using static Jafer.Directory.Tests.Slices.DirectoryFixture;

namespace Jafer.Directory.Tests.Slices;

/// <summary>The access table against the running service, cell by cell.</summary>
public sealed class AccessMatrixTests(DirectoryFixture directory) : IClassFixture<DirectoryFixture>
{
    // The example of RFC 7517, appendix A.1.
    private const string Jwk = """{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}""";

    [Fact]
    public async Task EveryRpc_EveryRoleTokenAndOwner_AnswersAsTheTableSays()
    {
        await directory.ImportAsync(Espace("matrix"));
        var (espace, gestionnaire) = (IdOf("matrix").ToString(), StableIds.Gestionnaire("test", "G-matrix"));
        await directory.Database.RunAsync($"""
            update espace_groups set confirmed_at = confirmed_at - interval '1 year', said_at = said_at - interval '1 year' where espace_id = '{espace}';
            update espaces set revision = revision where id = '{espace}';
            """);
        var enquiry = (await directory.Court.RequestCapacityAsync(
            new() { EspaceId = espace, Mesure = new() { Modalite = Modalite.Visite }, RequestId = NewId() }, cancellationToken: Cancel)).Enquiry.EnquiryId;
        var holders = new Dictionary<string, Guid>
        {
            [Roles.Juridiction] = StableIds.Court("tj69123"),
            [Roles.Espace] = gestionnaire,
            [Roles.Operateur] = StableIds.For("organisation:operateur:national"),
        };

        var (members, others, delegations, credentials) = (new Dictionary<string, string>(), new Dictionary<string, string>(), new Dictionary<string, string>(), new Dictionary<string, string>());
        foreach (var (role, organisation) in holders)
        {
            // Nobody active, else the persons of the matrix would be strangers.
            (members[role], others[role], delegations[role], credentials[role]) = (NewId(), NewId(), NewId(), NewId());
            await directory.Database.RunAsync($"""
                insert into members values ('{members[role]}', '{organisation}', '', null, 'Personne fictive', 'AGENT', 'INVITED', '\x00', now() + interval '1 day', now(), null, now(), 1);
                insert into members values ('{others[role]}', '{organisation}', '', 'partie', '', 'AGENT', 'REMOVED', null, null, now(), now(), now(), 1);
                insert into delegations values (
                    '{delegations[role]}', '{organisation}', '{members[role]}', '{others[role]}', current_date, current_date, now(), now() - interval '1 day', now(), 1);
                insert into credentials values ('{credentials[role]}', '{organisation}', '{role}', 'Logiciel fictif', 'AGENT', false, current_date, null, null, now(), now(), 1);
                """);
        }

        // What operators may touch of others is a gestionnaire's here: an invitation that nobody accepts.
        var invited = (await new MemberService.MemberServiceClient(directory.Host.Channel(TestIssuer.Shared.Token(Roles.Operateur, holders[Roles.Operateur], person: true))).InviteMemberAsync(
            new() { OrganisationId = gestionnaire.ToString(), DisplayName = "Personne fictive", Rank = MemberRank.Manager, RequestId = NewId() }, cancellationToken: Cancel)).Member.MemberId;
        var (here, elsewhere) = (Guid.Parse(NewId()), Guid.Parse(NewId()));
        await directory.Database.RunAsync($"insert into territories values ('{here}', 'Rhône', '{{69}}', now(), 1), ('{elsewhere}', 'Corse', '{{2A}}', now(), 1)");
        await using var host = await directory.StartAsync(new Dictionary<string, string?> { ["Identity:Members"] = "directory", ["Upkeep:FirstSweepAfter"] = "1.00:00:00" });
        var faults = await new AccessMatrix(host, holders, RequestOf, here, elsewhere).FaultsAsync([
            DirectoryService.Descriptor, OrganisationService.Descriptor, OperationsService.Descriptor, MemberService.Descriptor, DelegationService.Descriptor, CredentialService.Descriptor, TerritoryService.Descriptor, WaitService.Descriptor, PlaceService.Descriptor]);

        Assert.True(faults.Count == 0, string.Join("\n", faults));

        IMessage? RequestOf(MethodDescriptor rpc, string role)
        {
            var request = Rpcs.Empty(rpc);
            Set("espace_id", espace);
            Set("enquiry_id", enquiry);
            Set("gestionnaire_id", gestionnaire.ToString());
            Set("organisation_id", role == Roles.Juridiction || (role == Roles.Operateur && rpc.Service.Name is nameof(CredentialService) or nameof(DelegationService)) ? holders[role].ToString() : gestionnaire.ToString());
            Set("member_id", role == Roles.Operateur && rpc.Name == "GetMember" ? invited : members.GetValueOrDefault(role, NewId()));
            Set("from_member_id", members.GetValueOrDefault(role, NewId()));
            Set("to_member_id", others.GetValueOrDefault(role, NewId()));
            Set("delegation_id", delegations.GetValueOrDefault(role, NewId()));
            Set("credential_id", credentials.GetValueOrDefault(role, NewId()));
            switch (request)
            {
                // A streaming import, and one of everything, would be for their own tests.
                case ImportEspacesCsvRequest or ImportDistancierRequest or ImportEspacesRequest or ImportSchoolHolidaysRequest: return null;
                case UpdateEspaceRequest update: (update.Espace, update.UpdateMask) = (new() { EspaceId = espace, Name = "Autre nom" }, new() { Paths = { "name" } }); break;
                case RecordAgrementRequest record: record.Agrement = new() { Departement = "69", State = AgrementState.Demande, RequestDate = Today.ToProto() }; break;
                case RequestCapacityRequest capacity: capacity.Mesure = new() { Modalite = Modalite.Visite }; break;
                case AnswerCapacityRequest answer: (answer.Answer, answer.WaitDays) = (CapacityAnswer.WaitingList, 40); break;
                case DeclareWaitRequest wait: (wait.Modalite, wait.Days) = (Modalite.Visite, 33); break;
                case DeclareYearRequest year: year.Declaration = new() { Year = Today.Year - 1, OpeningHours = 800, OpeningDays = 200, Etag = "999999" }; break;
                case ReplaceContactsRequest contacts: contacts.Contacts.Add(new Contact { ExternalId = "1", Email = "suivi@example.org", Role = ContactRole.Suivi }); break;
                // Its code opens what is the caller's own, and then the organisation has a member: tests of its own.
                case AcceptInvitationRequest: return null;
                case InviteMemberRequest invite: (invite.DisplayName, invite.Rank) = ("Personne fictive", MemberRank.Manager); break;
                case UpdateMemberRequest member: member.Rank = MemberRank.Reader; break;
                case CreateDelegationRequest delegation: (delegation.StartDate, delegation.EndDate) = (Today.ToProto(), Today.ToProto()); break;
                case CreateCredentialRequest credential: (credential.DisplayName, credential.Rank, credential.PublicKeyJwk) = ("Logiciel fictif", MemberRank.Agent, Jwk); break;
                case RotateCredentialRequest rotation: rotation.PublicKeyJwk = Jwk; break;
                case SetTerritoryRequest territory: territory.Territory = new() { OrganisationId = gestionnaire.ToString(), DisplayName = "CAF fictive", Etag = "999999" }; break;
                case GetMembershipRequest membership: membership.Subject = "personne.1"; break;
                case RecordCredentialUseRequest use: use.UseDate = Today.ToProto(); break;
                case HoldPlaceRequest hold: hold.Modalite = Modalite.Visite; break;
                case GetGestionnaireOfSiretRequest siret: siret.Siret = Siret("matrix"); break;
            }

            return request.CalculateSize() == 0 ? null : request;

            void Set(string field, string value) => request.Descriptor.FindFieldByName(field)?.Accessor.SetValue(request, value);
        }
    }

    [Fact]
    public async Task GetGestionnaireOfSiret_OfOneOfNobodyAndOfTwo_NamesTheOneAlone()
    {
        await directory.ImportAsync(Espace("siret-1"), Espace("siret-2"), Espace("siret-3"));
        var client = new OrganisationService.OrganisationServiceClient(directory.Host.Channel(Roles.Systeme, StableIds.For("organisation:service:mesure")));
        async Task<string> OfAsync(string siret) => (await client.GetGestionnaireOfSiretAsync(new() { Siret = siret }, cancellationToken: Cancel)).GestionnaireId;

        Assert.Equal(StableIds.Gestionnaire("test", "G-siret-1").ToString(), await OfAsync(Siret("siret-1")));
        Assert.Equal("", await OfAsync("00000000000000"));
        Assert.Equal(["siret"], (await Refusal.OfAsync(client.GetGestionnaireOfSiretAsync(new() { Siret = "1234" }, cancellationToken: Cancel))).Fields);

        await directory.Database.RunAsync($"update gestionnaires set siret = '{Siret("siret-2")}' where id = '{StableIds.Gestionnaire("test", "G-siret-3")}'");
        Assert.Equal("", await OfAsync(Siret("siret-2")));
    }
}
