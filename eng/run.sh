#!/usr/bin/env bash
# ./jafer run [--reset] [--port-base N] [--no-setup] [--no-build]
#
# Sets up, builds, and becomes the AppHost: Ctrl+C (or any end of it) stops everything that it started.
# Data stay for the next run; --reset starts afresh. Ports are drawn, unless --port-base fixes them from N on.
# What is not healthy within JAFER_START_LIMIT seconds (600) is named with the place of its console, and all is stopped.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
. "$JAFER_ROOT/eng/apphost.sh"
cd "$JAFER_ROOT"

setup=true build=true reset=false
while (($#)); do
  case $1 in
    --reset) reset=true ;;
    --port-base) [[ ${2:-} =~ ^[0-9]{4,5}$ ]] || fail "--port-base needs a number"; export JAFER_PORT_BASE=$2; shift ;;
    --no-setup) setup=false ;;
    --no-build) build=false ;;
    -h | --help) sed -n '2,6s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
    *) fail "unknown option $1 (--help lists them)" ;;
  esac
  shift
done

[[ $setup == false ]] || eng/setup.sh
. eng/env.sh # again: set-up may have installed what it looks for
use_place ""
take_place || fail "Jafer already runs in this checkout; its addresses are in ${JAFER_ENDPOINTS#"$JAFER_ROOT"/}. Stop it first (Ctrl+C there)"
prepare_apphost "$build"
if [[ $reset == true ]]; then
  rm -rf "$JAFER_DATA"
  say "reset: data deleted"
fi
mkdir -p "$JAFER_DATA"

start=$(now_ms)
rm -f "$JAFER_ENDPOINTS"
say "start: waiting for all resources to be healthy (Ctrl+C stops everything)"
export JAFER_START_LIMIT=${JAFER_START_LIMIT:-600}
(
  exec 7>&- # the lock is the AppHost's
  # The AppHost itself says what is not healthy, and ends; a while later it must have done so.
  status=0
  await_ready $$ $((JAFER_START_LIMIT + 30)) || status=$?
  if ((status == 2)); then
    say "jafer: not everything is healthy after $((JAFER_START_LIMIT + 30)) s and the AppHost does not say what; stopping. Logs of set-up and build: .jafer/logs" >&2
    kill -TERM $$ 2>/dev/null || true
  elif ((status == 0)); then
    say "ready: everything is healthy after $(seconds $(($(now_ms) - start)))"
    show_endpoints
    say "  addresses in ${JAFER_ENDPOINTS#"$JAFER_ROOT"/}; Ctrl+C stops everything"
  fi
) &
exec_apphost
