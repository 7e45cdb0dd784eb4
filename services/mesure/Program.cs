using Jafer.Mesures;
using Jafer.Mesures.Data;
using Jafer.ServiceDefaults;

if (!await JaferService.IsDoneAsync<MesuresDbContext>(args, MesuresModule.Name))
{
    await MesuresModule.Build(args).RunJaferAsync<MesuresDbContext>(args);
}
