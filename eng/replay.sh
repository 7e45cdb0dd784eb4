#!/usr/bin/env bash
# ./jafer replay [--year-fraction F] [--seed N] [--running] [--reset] [--no-setup] [--no-build] …
#
# Plays the simulated national year through the running services, waits until every queue is drained and compares every
# count with the simulation's own books: a table, also in artifacts/replay/report.md, and exit status 0 or 1. Starts all
# services on data of their own with reminders, mails and retention switched off, and stops them; --running plays
# against the system that JAFER_ENDPOINTS names (that of ./jafer run) instead, which must hold no other mesures.
# Ctrl+C stops; the same command goes on where it stopped (--reset begins afresh). What else it takes: docs/replay.md.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
. "$JAFER_ROOT/eng/apphost.sh"
cd "$JAFER_ROOT"

setup=true build=true running=false reset=false options=()
while (($#)); do
  case $1 in
    --no-setup) setup=false ;;
    --no-build) build=false ;;
    --running) running=true ;;
    --reset) reset=true ;;
    -h | --help) sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
    *) options+=("$1") ;;
  esac
  shift
done

[[ $setup == false ]] || eng/setup.sh
. eng/env.sh # again: set-up may have installed what it looks for
mkdir -p "$JAFER_STATE/logs"

tool=$JAFER_ROOT/artifacts/bin/Jafer.Simulation/$(tr '[:upper:]' '[:lower:]' <<<"$JAFER_CONFIGURATION")/Jafer.Simulation.dll
build_tool() {
  dotnet build "$JAFER_ROOT/tools/Jafer.Simulation/Jafer.Simulation.csproj" -c "$JAFER_CONFIGURATION" -nodeReuse:false -v q -nologo -clp:NoSummary \
    >"$JAFER_STATE/logs/build-simulation.log" 2>&1 </dev/null || fail "the build failed (whole output: .jafer/logs/build-simulation.log)"
}
[[ $build == false && -f $tool ]] || alone build_tool

if [[ $running == true ]]; then
  exec dotnet "$tool" replay ${options[@]+"${options[@]}"}
fi

use_place replay
take_place 10 || fail "another replay runs in this checkout"
prepare_apphost "$build"
# Data of another plan would be other mesures beside those of this one.
plan="${options[*]-} $(TZ=Europe/Paris date +%F)"
if [[ $reset == true || ! -f $JAFER_DATA/plan || $(cat "$JAFER_DATA/plan") != "$plan" ]]; then
  rm -rf "$JAFER_DATA"
fi
mkdir -p "$JAFER_DATA"
printf '%s' "$plan" >"$JAFER_DATA/plan"

log=$JAFER_STATE/logs/replay-apphost.log
apphost='' player='' status=0
stop_all() {
  trap - EXIT INT TERM
  if [[ -n $player ]] && kill -0 "$player" 2>/dev/null; then
    kill -TERM "$player"
    wait "$player" 2>/dev/null || true
  fi
  if [[ -n $apphost ]] && kill -0 "$apphost" 2>/dev/null; then
    kill -TERM "$apphost"
    wait "$apphost" 2>/dev/null || true
    place_is_free 10 || say "replay: processes are left 10 s after the AppHost ended" >&2
  fi
  rm -f "$JAFER_ENDPOINTS"
  # A replay that came to its end is not gone on with.
  if ((status < 2)); then rm -rf "$JAFER_DATA"; fi
}
trap 'status=$?; stop_all; exit $status' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# What would tell people of deadlines of the past, or erase what is old; items of the intake wait for as long as a stop may last.
export Reminders__Enabled=false Mail__Enabled=false Retention__Nightly=false Retention__OverdueAfter=3650.00:00:00
# Half of the processors would go into traces that nobody looks at. What is called often is compiled again at once.
export JAFER_DASHBOARD=false DOTNET_TC_CallCountingDelayMs=64
export Intake__HoldFor=2.00:00:00 Delays__FoldInterval=00:00:02 Outbox__ErrorQueueInterval=00:00:02
start=$(now_ms)
exec_apphost >"$log" 2>&1 </dev/null &
apphost=$!
ready=0
await_ready "$apphost" "${JAFER_CHECK_LIMIT:-300}" || ready=$?
if ((ready != 0)); then
  tail -n 60 "$log" >&2
  fail "not everything became healthy (whole output: ${log#"$JAFER_ROOT"/})"
fi
say "replay: everything is healthy ($(seconds $(($(now_ms) - start))))"
dotnet "$tool" replay ${options[@]+"${options[@]}"} &
player=$!
status=0
wait "$player" || status=$?
player=''
exit $status
