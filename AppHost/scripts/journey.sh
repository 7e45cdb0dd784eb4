#!/usr/bin/env bash
# The demonstration journey: a court's software and an espace's software do the main job once, beside each other.
# Environment: JAFER_ENDPOINTS. Exit status 0 when both came to the end.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../../eng/env.sh"
cd "$JAFER_ROOT"
TRACEPARENT="00-$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')-$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n')-01"
export TRACEPARENT
python=$(find_python)
"${python:-python3}" clients/python/espace.py </dev/null &
espace=$!
node clients/node/journey.mjs </dev/null &
court=$!
trap 'kill "$espace" "$court" 2>/dev/null' TERM INT
status=0
wait "$court" || status=$?
wait "$espace" || status=$?
exit $status
