using Grpc.Core;
using Jafer.Contracts.Directory.V1;
using Jafer.Directory.Contacts;
using Jafer.Directory.Declarations;
using Jafer.Directory.Espaces;
using Jafer.Directory.Reference;
using Jafer.Directory.Schedules;
using Jafer.Directory.Search;
using Jafer.Directory.Territory;
using Jafer.Directory.Upkeep;
using Jafer.ServiceDefaults.Access;

namespace Jafer.Directory;

/// <summary>The directory's rpcs; each hands over to its slice. A search needs no database context, so none is made for it.</summary>
internal sealed class DirectoryGrpcService(SearchEspaces search) : DirectoryService.DirectoryServiceBase
{
    public override Task<SearchEspacesResponse> SearchEspaces(SearchEspacesRequest request, ServerCallContext context) =>
        search.HandleAsync(request, context.Caller(), context.CancellationToken);

    public override Task<CheckDesignationResponse> CheckDesignation(CheckDesignationRequest request, ServerCallContext context) =>
        Slice<CheckDesignation>(context).HandleAsync(request, context.Caller(), context.CancellationToken);

    public override Task<RequestCapacityResponse> RequestCapacity(RequestCapacityRequest request, ServerCallContext context) =>
        Slice<CapacityEnquiries>(context).RequestAsync(request, context);

    public override Task<AnswerCapacityResponse> AnswerCapacity(AnswerCapacityRequest request, ServerCallContext context) =>
        Slice<CapacityEnquiries>(context).AnswerAsync(request, context);

    public override Task<GetCapacityEnquiryResponse> GetCapacityEnquiry(GetCapacityEnquiryRequest request, ServerCallContext context) =>
        Slice<CapacityEnquiries>(context).GetAsync(request, context.Caller(), context.CancellationToken);

    public override Task<GetEspaceResponse> GetEspace(GetEspaceRequest request, ServerCallContext context) =>
        Slice<ReadEspaces>(context).GetAsync(request, context.CancellationToken);

    public override Task<ListEspacesResponse> ListEspaces(ListEspacesRequest request, ServerCallContext context) =>
        Slice<ReadEspaces>(context).ListAsync(request, context.Caller(), context.CancellationToken);

    public override Task<UpdateEspaceResponse> UpdateEspace(UpdateEspaceRequest request, ServerCallContext context) =>
        Slice<UpdateEspace>(context).HandleAsync(request, context);

    public override Task<RecordAgrementResponse> RecordAgrement(RecordAgrementRequest request, ServerCallContext context) =>
        Slice<RecordAgrement>(context).HandleAsync(request, context);

    public override Task<ConfirmEspaceResponse> ConfirmEspace(ConfirmEspaceRequest request, ServerCallContext context) =>
        Slice<ConfirmEspace>(context).HandleAsync(request, context);

    public override Task<ListEspaceChangesResponse> ListEspaceChanges(ListEspaceChangesRequest request, ServerCallContext context) =>
        Slice<EspaceHistory>(context).ListAsync(request, context.Caller(), context.CancellationToken);

    public override Task<ListOuverturesOnResponse> ListOuverturesOn(ListOuverturesOnRequest request, ServerCallContext context) =>
        Slice<ListOuverturesOn>(context).HandleAsync(request, context.Caller(), context.CancellationToken);

    public override Task<DeclareYearResponse> DeclareYear(DeclareYearRequest request, ServerCallContext context) =>
        Slice<YearlyDeclarations>(context).DeclareAsync(request, context);

    public override Task<ListYearlyDeclarationsResponse> ListYearlyDeclarations(ListYearlyDeclarationsRequest request, ServerCallContext context) =>
        Slice<YearlyDeclarations>(context).ListAsync(request, context.Caller(), context.CancellationToken);

    public override Task<ImportSchoolHolidaysResponse> ImportSchoolHolidays(ImportSchoolHolidaysRequest request, ServerCallContext context) =>
        Slice<SchoolHolidayStore>(context).ImportAsync(request, context);

    public override Task<ListSchoolHolidaysResponse> ListSchoolHolidays(ListSchoolHolidaysRequest request, ServerCallContext context) =>
        Slice<SchoolHolidayStore>(context).ListAsync(request, context.Caller(), context.CancellationToken);

    public override Task<DeclareWaitResponse> DeclareWait(DeclareWaitRequest request, ServerCallContext context) =>
        Slice<DeclareWait>(context).HandleAsync(request, context);

    public override Task<ImportEspacesResponse> ImportEspaces(ImportEspacesRequest request, ServerCallContext context) =>
        Slice<ImportEspaces>(context).HandleAsync(request, context);

    public override Task ImportEspacesCsv(
        IAsyncStreamReader<ImportEspacesCsvRequest> requestStream, IServerStreamWriter<ImportEspacesCsvResponse> responseStream, ServerCallContext context) =>
        Slice<ImportEspacesCsv>(context).HandleAsync(requestStream, responseStream, context);

    public override Task<ListUpkeepItemsResponse> ListUpkeepItems(ListUpkeepItemsRequest request, ServerCallContext context) =>
        Slice<ListUpkeepItems>(context).HandleAsync(request, context.Caller(), context.CancellationToken);

    public override Task<ListCourtsResponse> ListCourts(ListCourtsRequest request, ServerCallContext context) =>
        Slice<ListReference>(context).CourtsAsync(request, context.Caller(), context.CancellationToken);

    public override Task<ListCommunesResponse> ListCommunes(ListCommunesRequest request, ServerCallContext context) =>
        Slice<ListReference>(context).CommunesAsync(request, context.Caller(), context.CancellationToken);

    public override Task<ListContactsResponse> ListContacts(ListContactsRequest request, ServerCallContext context) =>
        Slice<ListContacts>(context).HandleAsync(request, context.Caller(), context.CancellationToken);

    public override Task<ReplaceContactsResponse> ReplaceContacts(ReplaceContactsRequest request, ServerCallContext context) =>
        Slice<ReplaceContacts>(context).HandleAsync(request, context);

    public override Task<GetCoverageResponse> GetCoverage(GetCoverageRequest request, ServerCallContext context) =>
        Slice<GetCoverage>(context).HandleAsync(request, context.Caller(), context.CancellationToken);

    public override Task ImportDistancier(
        IAsyncStreamReader<ImportDistancierRequest> requestStream, IServerStreamWriter<ImportDistancierResponse> responseStream, ServerCallContext context) =>
        Slice<ImportDistancier>(context).HandleAsync(requestStream, responseStream, context);

    private static T Slice<T>(ServerCallContext context)
        where T : notnull => context.GetHttpContext().RequestServices.GetRequiredService<T>();
}
