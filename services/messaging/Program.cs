using Jafer.Messaging;
using Jafer.Messaging.Data;
using Jafer.ServiceDefaults;

if (!await JaferService.IsDoneAsync<MessagingDbContext>(args, MessagingModule.Name))
{
    await MessagingModule.RunAsync(MessagingModule.Build(args), args);
}
