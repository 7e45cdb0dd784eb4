using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Jafer.Contracts.Messaging.V1;
using Jafer.Contracts.Mesure.V1;
using Jafer.ServiceDefaults.Journal;

namespace Jafer.ServiceDefaults.Tests.Journal;

/// <summary>What the journal finds in messages.</summary>
public sealed class ResourceNamesTests
{
    private static readonly string s_id = Organisations.New().ToString();
    private static readonly string s_other = Organisations.New().ToString();

    [Fact]
    public void Request_IdsWhereverTheyStand_AreNamedOnceInTheirOrder() => Assert.Equal(
        [$"mesures/{s_id}", $"rencontres/{s_other}"],
        NamesOf(
            new ReportStatusRequest
            {
                RequestId = Organisations.New().ToString(),
                Items =
                {
                    new StatusItem { MesureId = s_id, ExternalId = s_other, RencontreConfirmed = new() { RencontreId = s_other } },
                    new StatusItem { MesureId = s_id.ToUpperInvariant() },
                },
            },
            asked: true));

    [Fact]
    public void Request_OfAsManyItemsAsOneMayHave_NamesAllOfThem()
    {
        // 1,000 items are accepted, each of which may name a mesure, a rencontre, a free slot and a lieu.
        var request = new ReportStatusRequest();
        for (var i = 0; i < 1000; i++)
        {
            request.Items.Add(new StatusItem
            {
                MesureId = Organisations.New().ToString(),
                RencontreConfirmed = new() { RencontreId = Organisations.New().ToString() },
            });
        }

        var names = NamesOf(request, asked: true);

        Assert.Equal(request.Items.Select(i => $"mesures/{i.MesureId}"), names.Where(n => n.StartsWith("mesures/", StringComparison.Ordinal)));
        Assert.Equal(2000, names.Count);
    }

    [Fact]
    public void Request_WhatIsNoId_IsNotNamed() =>
        Assert.Empty(NamesOf(new GetMesureRequest { MesureId = "Martin c/ Martin" }, asked: true));

    [Fact]
    public void Answer_MesuresOfAList_AreNamed() => Assert.Equal(
        [$"mesures/{s_id}", $"mesures/{s_other}"],
        NamesOf(new ListMesuresResponse { Mesures = { new MesureSummary { MesureId = s_id, EspaceId = s_other }, new MesureSummary { MesureId = s_other } } }, asked: false));

    [Fact]
    public void Answer_MessageWithAFile_NamesBoth() => Assert.Equal(
        [$"mesures/{s_id}", $"attachments/{s_other}"],
        NamesOf(new ListMessagesResponse { Messages = { new Message { MesureId = s_id, Attachments = { new Attachment { AttachmentId = s_other } } } } }, asked: false));

    [Fact]
    public void Message_ThatHoldsItself_EndsNevertheless() =>
        Assert.Empty(NamesOf(Value.ForList(Value.ForString(s_id)), asked: false));

    [Fact]
    public void PersonalRpcs_All_NameSomethingInRequestOrAnswer()
    {
        // Contacts are those of an organisation, which the line names; the others tell of nothing that has an id here.
        string[] without = ["ListContacts", "ReplaceContacts", "CheckMesure", "CheckRencontreSeries", "ListMailRefusals", "ListNotices", "MarkNoticeOpened"];
        var methods = new[] { MesureServiceReflection.Descriptor, MessagingServiceReflection.Descriptor, AttachmentsReflection.Descriptor, DocumentServiceReflection.Descriptor }
            .SelectMany(f => f.Services).SelectMany(s => s.Methods);
        Assert.Equal([], methods
            .Where(m => PersonalTable.BuiltIn.IsPersonal($"/{m.Service.FullName}/{m.Name}") && !without.Contains(m.Name))
            .Where(m => !Reaches(m.InputType, []) && !Reaches(m.OutputType, []))
            .Select(m => m.FullName));
    }

    private static bool Reaches(MessageDescriptor type, HashSet<MessageDescriptor> seen) => seen.Add(type)
        && type.Fields.InDeclarationOrder().Any(f => f.Name is "mesure_id" or "mesure_ids" or "attachment_id" or "job_id"
            || (f.FieldType == FieldType.Message && !f.IsMap && Reaches(f.MessageType, seen)));

    private static IReadOnlyCollection<string> NamesOf(IMessage message, bool asked)
    {
        var names = new NameList();
        ResourceNames.AddTo(names, message, asked);
        return names.Names;
    }
}
