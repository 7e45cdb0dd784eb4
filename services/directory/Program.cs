using Jafer.Directory;
using Jafer.Directory.Data;
using Jafer.Directory.Reference;
using Jafer.ServiceDefaults;

if (!await JaferService.IsDoneAsync<DirectoryDbContext>(args, DirectoryModule.Name, ReferenceData.IsLoadedAsync))
    await DirectoryModule.Build(args).RunDirectoryAsync(args);
