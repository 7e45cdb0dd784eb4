#!/usr/bin/env bash
# ./jafer format: puts C# and protos into the repository's format; ./jafer test refuses what is not.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$JAFER_ROOT"
dotnet format whitespace . --folder --exclude artifacts node_modules .jafer
[[ ! -f protos/buf.yaml ]] || node_modules/.bin/buf format -w protos
