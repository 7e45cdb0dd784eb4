# shellcheck shell=bash
# Sourced by what builds: one compiler serves all projects of a build, and ends with it.

# built FILE [OPTION…]: builds a project or the solution, with the analyzers. A compiler of each project's own would load itself, the
# analyzers and the references anew every time. This one has a name of its own: no other build waits for it or loses it.
built() (
  compiler=jafer-build-$$
  # Without pkill it ends by itself, after some idle minutes.
  trap '! command -v pkill >/dev/null || pkill -f -- "-pipename:$compiler( |\$)" || true' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  dotnet build "$@" -c "$JAFER_CONFIGURATION" -nodeReuse:false -v q -nologo -clp:NoSummary \
    -p:UseSharedCompilation=true -p:SharedCompilationId="$compiler"
)
