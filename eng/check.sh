#!/usr/bin/env bash
# ./jafer check [--no-setup] [--no-build]
#
# Starts everything on fresh data, does the main job once through the foreign clients (a court's software in
# Node.js and an espace's in Python), then asks the directory in depth and keeps it true by two more of them, sends a
# mesure with a difficulty elsewhere by two more, lets an espace catch up by the last, prints one line per step with its
# time, and stops all. Exit status 0 or 1.
# A system started by ./jafer run in the same checkout is not touched.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
. "$JAFER_ROOT/eng/apphost.sh"
cd "$JAFER_ROOT"

setup=true build=true
while (($#)); do
  case $1 in
    --no-setup) setup=false ;;
    --no-build) build=false ;;
    -h | --help) sed -n '2,7s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
    *) fail "unknown option $1 (--help lists them)" ;;
  esac
  shift
done

[[ $setup == false ]] || eng/setup.sh
. eng/env.sh # again: set-up may have installed what it looks for
use_place check
take_place 10 || fail "another check runs in this checkout"
prepare_apphost "$build"
rm -rf "$JAFER_DATA"
mkdir -p "$JAFER_DATA"

log=$JAFER_STATE/logs/check-apphost.log
apphost='' clients=()
stop_all() {
  trap - EXIT INT TERM
  local c start
  for c in ${clients[@]+"${clients[@]}"}; do kill "$c" 2>/dev/null || true; done
  if [[ -n $apphost ]] && kill -0 "$apphost" 2>/dev/null; then
    start=$(now_ms)
    kill -TERM "$apphost"
    wait "$apphost" 2>/dev/null || true
    if place_is_free 10; then
      say "check: everything stopped, no process left ($(seconds $(($(now_ms) - start))))"
    else
      say "check: processes are left 10 s after the AppHost ended" >&2
      status=1
    fi
  fi
  rm -rf "$JAFER_DATA" "$JAFER_ENDPOINTS"
}
trap 'status=$?; stop_all; exit $status' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

start=$(now_ms)
exec_apphost >"$log" 2>&1 </dev/null &
apphost=$!
status=0
await_ready "$apphost" "${JAFER_CHECK_LIMIT:-300}" || status=$?
if ((status != 0)); then
  tail -n 60 "$log" >&2
  ((status == 1)) && fail "the AppHost ended before everything was healthy (whole output: ${log#"$JAFER_ROOT"/})"
  fail "not everything was healthy in time (whole output: ${log#"$JAFER_ROOT"/})"
fi
say "check: everything is healthy ($(seconds $(($(now_ms) - start))))"

# One trace for all clients, so that the dashboard shows the whole way.
TRACEPARENT="00-$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')-$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n')-01"
export TRACEPARENT
python=$(find_python)

play() { # play WHAT PROGRAM…: foreign clients, beside each other
  local what=$1 program c start
  start=$(now_ms)
  for program in "${@:2}"; do
    case $program in
      # shellcheck disable=SC2086 # a program may have an argument
      *.py*) "$python" clients/python/$program </dev/null & ;;
      *) node "clients/node/$program" </dev/null & ;;
    esac
    clients+=($!)
  done
  for c in "${clients[@]}"; do
    wait "$c" || status=1
  done
  clients=()
  if ((status == 0)); then
    say "check: $what ($(seconds $(($(now_ms) - start))))"
  else
    say "check: FAILED, not so: $what; the AppHost's output: ${log#"$JAFER_ROOT"/}" >&2
    exit 1
  fi
}

play "the main job is done" espace.py journey.mjs
play "the directory answers in depth" directory.py search.mjs
play "a judge sends a mesure elsewhere" difficulty.py judge.mjs
play "a decision is attached, notices and a note are printed" documents.mjs
play "who opened a file is told, and a stranger refused" journal.mjs
play "an organisation gives and takes rights, and a program signs its own tokens" members.mjs
play "a préfecture records an agrément, and is refused elsewhere" prefecture.mjs
play "a wait is observed, and the next first rencontre forecast with its interval" waits.mjs
play "a lost slot is offered within seconds and taken by a family that waits" lost-slot.mjs
play "a return for the national survey is computed, and a figure leads to its mesures" survey.mjs
play "an espace has caught up after having been offline" catch-up.mjs
play "a webhook is created, verified over a rotation of its secrets, and deleted" webhook-receiver.mjs
play "a watcher is killed again and again and resumes without a gap" watch.py
play "a question is answered, something urgent acknowledged, and the exported thread verified" conversation.py
play "a file is uploaded, cleared, sent with a message and downloaded in two parts" attachments.py
play "a mail comes back, and the operator sees whose address is dead" "bounces.py --try"
exit $status
