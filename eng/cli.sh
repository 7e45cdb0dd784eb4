#!/usr/bin/env bash
# ./jafer COMMAND …: the commands of Jafer.Cli, which speak to the running Jafer as an operator. Builds the tool when its
# sources are newer; --help lists what a command takes.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
. "$JAFER_ROOT/eng/apphost.sh"

tool=$JAFER_ROOT/artifacts/bin/Jafer.Cli/$(tr '[:upper:]' '[:lower:]' <<<"$JAFER_CONFIGURATION")/Jafer.Cli.dll
build_tool() {
  dotnet build "$JAFER_ROOT/tools/Jafer.Cli/Jafer.Cli.csproj" -c "$JAFER_CONFIGURATION" -nodeReuse:false -v q -nologo -clp:NoSummary \
    >"$JAFER_STATE/logs/build-cli.log" 2>&1 </dev/null || fail "the build failed (whole output: .jafer/logs/build-cli.log)"
}
if [[ ! -f $tool || -n $(find "$JAFER_ROOT/tools/Jafer.Cli" "$JAFER_ROOT/protos" -newer "$tool" \( -name '*.cs' -o -name '*.proto' -o -name '*.csproj' \) -print -quit) ]]; then
  mkdir -p "$JAFER_STATE/logs"
  alone build_tool
fi
exec dotnet "$tool" "$@"
