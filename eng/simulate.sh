#!/usr/bin/env bash
# ./jafer simulate …: the simulated national year. Needs no server. Builds the tool when its sources are newer; --help lists
# what it takes. Ctrl+C keeps the runs that have ended, and the same command goes on with them.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
. "$JAFER_ROOT/eng/apphost.sh"

tool=$JAFER_ROOT/artifacts/bin/Jafer.Simulation/$(tr '[:upper:]' '[:lower:]' <<<"$JAFER_CONFIGURATION")/Jafer.Simulation.dll
build_tool() {
  dotnet build "$JAFER_ROOT/tools/Jafer.Simulation/Jafer.Simulation.csproj" -c "$JAFER_CONFIGURATION" -nodeReuse:false -v q -nologo -clp:NoSummary \
    >"$JAFER_STATE/logs/build-simulation.log" 2>&1 </dev/null || fail "the build failed (whole output: .jafer/logs/build-simulation.log)"
}
if [[ ! -f $tool || -n $(find "$JAFER_ROOT/tools/Jafer.Simulation" "$JAFER_ROOT/Delays" "$JAFER_ROOT"/services/*/Domain -newer "$tool" \( -name '*.cs' -o -name '*.csv' -o -name '*.csproj' \) -print -quit) ]]; then
  mkdir -p "$JAFER_STATE/logs"
  alone build_tool
fi
cd "$JAFER_ROOT"
exec dotnet "$tool" "$@"
