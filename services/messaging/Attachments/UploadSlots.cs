using Jafer.ServiceDefaults.Grpc;
using Microsoft.Extensions.Options;

namespace Jafer.Messaging.Attachments;

/// <summary>How many uploads this replica takes at the same time, of all and of each organisation: none takes the place of all others.</summary>
internal sealed class UploadSlots(IOptions<AttachmentOptions> options)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<Guid, int> _ofOrganisations = [];
    private int _taken;

    /// <summary>Takes a slot until it is disposed of; refuses when there is none.</summary>
    /// <param name="organisationId">Who uploads.</param>
    public IDisposable Take(Guid organisationId)
    {
        lock (_lock)
        {
            var own = _ofOrganisations.GetValueOrDefault(organisationId);
            if (_taken >= options.Value.MaxUploads || own >= options.Value.MaxUploadsPerOrganisation)
            {
                throw DomainError.LimitExceeded("uploads at the same time", TimeSpan.FromSeconds(5));
            }

            _taken++;
            _ofOrganisations[organisationId] = own + 1;
            return new Slot(this, organisationId);
        }
    }

    private void Free(Guid organisationId)
    {
        lock (_lock)
        {
            _taken--;
            if (--_ofOrganisations[organisationId] == 0)
            {
                _ofOrganisations.Remove(organisationId);
            }
        }
    }

    private sealed class Slot(UploadSlots slots, Guid organisationId) : IDisposable
    {
        public void Dispose() => slots.Free(organisationId);
    }
}
