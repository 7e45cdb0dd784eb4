using Jafer.Notifications;

await NotificationsModule.RunAsync(NotificationsModule.Build(args), args);
