using Jafer.Notifications;
using Jafer.Notifications.Data;
using Jafer.ServiceDefaults;

if (!await JaferService.IsDoneAsync<NotificationsDbContext>(args, NotificationsModule.Name))
{
    await NotificationsModule.RunAsync(NotificationsModule.Build(args), args);
}
