using Jafer.Messaging;

await MessagingModule.RunAsync(MessagingModule.Build(args), args);
