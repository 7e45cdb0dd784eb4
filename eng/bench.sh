#!/usr/bin/env bash
# ./jafer bench [--no-setup] [NAME…]
#
# The benchmarks of tests/Jafer.Benchmarks on servers that this script starts, each a ratio to a floor measured in
# the same run. Prints a table and writes artifacts/bench.json: a list of {name, value, floor, ratio, goal, met}.
# Two of them concern the whole and are measured here: startup (seconds until everything is healthy) and memory
# (MiB resident at rest, for each service; memory-worked is the same of services that have loaded the demonstration).
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
. "$JAFER_ROOT/eng/apphost.sh"
cd "$JAFER_ROOT"

setup=true names=()
while (($#)); do
  case $1 in
    --no-setup) setup=false ;;
    -h | --help) sed -n '2,7s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
    -*) fail "unknown option $1 (--help lists them)" ;;
    *) names+=("$1") ;;
  esac
  shift
done
[[ $setup == false ]] || eng/setup.sh
. eng/env.sh # again: set-up may have installed what it looks for

out=$JAFER_ROOT/artifacts/bench.json
parts=$JAFER_ROOT/artifacts/bench-parts
rm -rf "$parts"
mkdir -p "$parts"
instance=bench-$$ apphost=''
stop_all() {
  trap - EXIT INT TERM
  eng/servers.sh purge --instance "$instance" || true
  if [[ -n $apphost ]] && kill -0 "$apphost" 2>/dev/null; then
    kill -TERM "$apphost"
    wait "$apphost" 2>/dev/null || true
  fi
  [[ -z ${JAFER_DATA:-} ]] || rm -rf "$JAFER_DATA" "$JAFER_ENDPOINTS"
}
trap 'status=$?; stop_all; exit $status' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

wants() {
  ((${#names[@]} == 0)) && return 0
  local n
  for n in "${names[@]}"; do [[ $n == "$1" ]] && return 0; done
  return 1
}

whole=false own=()
for n in ${names[@]+"${names[@]}"}; do
  [[ $n == startup || $n == memory ]] || own+=("$n")
done
if wants startup || wants memory; then whole=true; fi

if ((${#names[@]} == 0 || ${#own[@]} > 0)); then
  log=$JAFER_STATE/logs/build.log
  dotnet build tests/Jafer.Benchmarks/Jafer.Benchmarks.csproj -c Release -nodeReuse:false -v q -nologo -clp:NoSummary \
    >"$log" 2>&1 </dev/null || { tail -n 40 "$log" >&2; fail "the build failed"; }
  eng/servers.sh start --instance "$instance" </dev/null
  eval "$(eng/servers.sh env --instance "$instance")"
  rm -f "$out"
  dotnet artifacts/bin/Jafer.Benchmarks/release/Jafer.Benchmarks.dll ${own[@]+"${own[@]}"} </dev/null
  [[ ! -f $out ]] || cp "$out" "$parts/benchmarks.json"
  eng/servers.sh purge --instance "$instance"
fi

if [[ $whole == true ]]; then
  use_place bench
  take_place 10 || fail "another benchmark runs in this checkout"
  prepare_apphost true
  rm -rf "$JAFER_DATA"
  mkdir -p "$JAFER_DATA"
  # Once to make the data, once to measure: a start on data that exist is what a developer waits for every day.
  for turn in first measured; do
    start=$(now_ms)
    exec_apphost >"$JAFER_STATE/logs/bench-apphost.log" 2>&1 </dev/null &
    apphost=$!
    await_ready "$apphost" 180 || { tail -n 40 "$JAFER_STATE/logs/bench-apphost.log" >&2; fail "the system did not become healthy"; }
    took=$(($(now_ms) - start))
    # At rest: nothing is asked of it, what the start and the demonstration left to do is done and collected.
    sleep 45
    if [[ $turn == first ]]; then
      node eng/bench.mjs memory memory-worked >"$parts/worked.json"
      kill -TERM "$apphost"
      wait "$apphost" 2>/dev/null || true
      apphost=''
    fi
  done
  node eng/bench.mjs startup "$took" >"$parts/startup.json"
  node eng/bench.mjs memory memory >"$parts/memory.json"
fi
node eng/bench.mjs table "$out" "$parts" ${names[@]+"${names[@]}"}
