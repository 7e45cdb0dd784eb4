using Jafer.Mesures;
using Jafer.Mesures.Data;
using Jafer.ServiceDefaults;

var app = MesuresModule.Build(args);
await app.RunJaferAsync<MesuresDbContext>(args);
