#!/usr/bin/env bash
# The demonstration journey: a court's software and an espace's software do the main job once, beside each other.
# Environment: JAFER_ENDPOINTS. The last line says what became of it; exit status 0 when both came to the end.
set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../../eng/env.sh"
cd "$JAFER_ROOT"

# The addresses are written once everything is healthy and the demonstration data are loaded.
limit=$(($(now_ms) + 30000))
until [[ -f $JAFER_ENDPOINTS ]]; do
  (($(now_ms) < limit)) || fail "Jafer is not ready: there is no $JAFER_ENDPOINTS after 30 s"
  sleep 0.2
done

TRACEPARENT="00-$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')-$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n')-01"
export TRACEPARENT
python=$(find_python)
"${python:-python3}" clients/python/espace.py </dev/null &
espace=$!
node clients/node/journey.mjs </dev/null &
court=$!
trap 'kill "$espace" "$court" 2>/dev/null' TERM INT
court_ended=0 espace_ended=0
# Without the one the other would wait for its whole minute.
wait "$court" || { court_ended=$?; kill "$espace" 2>/dev/null; }
wait "$espace" || espace_ended=$?
((court_ended == 0 && espace_ended == 0)) ||
  fail "the journey failed: the court's software ended with $court_ended, the espace's with $espace_ended"
say "The journey is done: transmitted, acknowledged, first rencontre held, in one trace ${TRACEPARENT:3:32}."
