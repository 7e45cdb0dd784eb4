using Jafer.Directory;

await DirectoryModule.Build(args).RunDirectoryAsync(args);
