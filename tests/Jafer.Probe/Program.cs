using Jafer.Probe;
using Jafer.ServiceDefaults;
using Microsoft.Extensions.Configuration;

// A process of its own, for tests that kill it. Configuration comes from the environment.
var app = ProbeApp.Build(builder => builder.Configuration.AddCommandLine(args));
await app.RunJaferAsync<ProbeDbContext>(args);
