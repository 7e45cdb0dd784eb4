#!/usr/bin/env bash
# ./jafer test [--no-setup] [--no-build] [--filter EXPRESSION] [PROJECT…]
#
# Set-up, checks, build, then every test project on PostgreSQL and RabbitMQ that this script starts and stops.
# Each check counts as one test. The last line is "N passed, N failed"; exit status 0 only if nothing failed.
#   --filter      passed on to `dotnet test --filter`; the checks that no filter can select are left out
#   PROJECT       only these test projects (Jafer.Contracts.Tests, or any part of the name); no checks either
#   --no-setup    trust that nothing is missing;  --no-build   trust the last build
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
. "$JAFER_ROOT/eng/build.sh"
cd "$JAFER_ROOT"

setup=true build=true checks=true filter='' projects=()
while (($#)); do
  case $1 in
    --no-setup) setup=false ;;
    --no-build) build=false ;;
    --filter) filter=${2:?--filter needs an expression}; checks=false; shift ;;
    --filter=*) filter=${1#*=}; checks=false ;;
    -h | --help) sed -n '2,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
    -*) fail "unknown option $1 (--help lists them)" ;;
    *) projects+=("$1"); checks=false ;;
  esac
  shift
done

passed=0 failed=0 skipped=0 failures=()
results=$JAFER_ROOT/artifacts/test-results
instance=run-$$
trap 'status=$?; "$JAFER_ROOT/eng/servers.sh" purge --instance "$instance" || true; exit $status' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

count() { # count NAME PASSED FAILED
  passed=$((passed + $2)) failed=$((failed + $3))
  (($3 == 0)) || failures+=("$1")
}

finish() {
  say
  ((${#failures[@]} == 0)) || { say "Failed:"; printf '  %s\n' "${failures[@]}"; }
  ((skipped == 0)) || say "$skipped skipped"
  # Stopped before the last line is written, so that it really is the last one.
  "$JAFER_ROOT/eng/servers.sh" purge --instance "$instance" || true
  trap - EXIT
  say "$passed passed, $failed failed"
  ((failed == 0)) && exit 0
  exit 1
}

check() { # check NAME command…: quiet when it holds
  local name=$1 log=$results/check.log start
  shift
  start=$(now_ms)
  if "$@" >"$log" 2>&1 </dev/null; then
    say "check: $name … holds ($(seconds $(($(now_ms) - start))))"
    count "$name" 1 0
  else
    say "check: $name … FAILS ($(seconds $(($(now_ms) - start))))"
    sed 's/^/    /' "$log" | awk 'NR <= 60'
    count "$name" 0 1
    return 1
  fi
}

solution_lists_every_project() {
  local p missing=0
  # The merge of two branches that both add a project keeps both lines.
  sed -n 's/^Project(.*", "\(.*\.csproj\)", .*/listed twice: \1/p' Jafer.sln | sort | uniq -d | grep . && missing=1
  while read -r p; do
    grep -qF "\"${p//\//\\}\"" Jafer.sln || { echo "not in Jafer.sln: $p"; missing=1; }
  done < <(git ls-files --cached --others --exclude-standard '*.csproj')
  return $missing
}

# Else a change that breaks the contract would only need to bring its own image along.
earlier_images_hold() {
  local commit image=$results/earlier.binpb compared=0
  for commit in $(git log -n 10 --format=%h -- protos/landed.binpb 2>/dev/null); do
    # The oldest commit of a shallow clone, or one that took the image away, may hold none.
    git cat-file -p "$commit:protos/landed.binpb" >"$image" 2>/dev/null || continue
    ! cmp -s "$image" protos/landed.binpb || continue
    echo "against the image of $commit:"
    "$buf" breaking protos --against "$image" || return 1
    compared=$((compared + 1))
  done
  ((compared > 0)) || : >"$results/no-earlier-image"
}

if [[ $setup == true ]]; then
  eng/setup.sh --browser
fi
rm -rf "$results"
mkdir -p "$results"
buf=node_modules/.bin/buf

if [[ $checks == true ]]; then
  check "Jafer.sln lists every project once" solution_lists_every_project || true
  check "format of C#" dotnet format whitespace . --folder --verify-no-changes --exclude artifacts node_modules .jafer || true
  if [[ -f protos/buf.yaml ]]; then
    check "buf lint" "$buf" lint protos || true
    check "buf format" "$buf" format -d --exit-code protos || true
    if [[ -f protos/landed.binpb ]]; then
      check "buf breaking against landed.binpb" "$buf" breaking protos --against protos/landed.binpb || true
      check "buf breaking against the images before it" earlier_images_hold || true
      [[ ! -f $results/no-earlier-image ]] || say "  skipped: this history holds no earlier image"
    fi
  fi
fi

if [[ $build == true ]]; then
  check "build, warnings as errors" built Jafer.sln || finish
fi

start=$(now_ms)
eng/servers.sh start --instance "$instance" </dev/null || { count "PostgreSQL and RabbitMQ start" 0 1; finish; }
eval "$(eng/servers.sh env --instance "$instance")"
# With CI set a test that finds no server fails instead of being skipped.
export CI=${CI:-true}
say "servers: PostgreSQL and RabbitMQ run ($(seconds $(($(now_ms) - start))))"

# The counters of one trx file: "passed failed skipped".
counters() {
  sed -n 's/.*<Counters \(.*\)\/>.*/\1/p' "$1" | tr ' ' '\n' | tr -d '"' | awk -F= '
    /^total=/ { t = $2 } /^passed=/ { p = $2 } /^notExecuted=|^notRunnable=/ { s += $2 } /^executed=/ { e = $2 }
    END { print p + 0, e - p, t - e }'
}

limit() { if command -v timeout >/dev/null; then timeout --foreground -k 10 "${JAFER_TEST_LIMIT:-900}" "$@"; else "$@"; fi; }

wanted() {
  ((${#projects[@]} == 0)) && return 0
  local w
  for w in "${projects[@]}"; do [[ $1 == *"$w"* ]] && return 0; done
  return 1
}

# A test process lives for a minute, and a third of it is the runtime compiling: without instrumentation, and without mapping its code
# twice (W^X), it took a fifth less processor time.
# Tests wait for servers: half as many again as there are processors run at a time, and threads sleep while they wait. An eighth less.
export DOTNET_TieredPGO=0 DOTNET_EnableWriteXorExecute=0 DOTNET_ThreadPool_UnfairSemaphoreSpinLimit=0

ran=0
for project in $(git ls-files --cached --others --exclude-standard 'tests/*.Tests.csproj' | sort); do
  name=$(basename "$project" .csproj)
  wanted "$name" || continue
  ran=$((ran + 1))
  start=$(now_ms)
  trx=$results/$name.trx log=$results/$name.log status=0
  limit dotnet test "artifacts/bin/$name/$(tr '[:upper:]' '[:lower:]' <<<"$JAFER_CONFIGURATION")/$name.dll" \
    --logger "trx;LogFileName=$trx" --logger "console;verbosity=minimal" ${filter:+--filter "$filter"} -- xUnit.MaxParallelThreads=1.5x \
    >"$log" 2>&1 </dev/null || status=$?
  p=0 f=0 s=0
  [[ ! -f $trx ]] || read -r p f s < <(counters "$trx")
  # A run that ended badly without saying which test failed, or ran nothing at all, is a failure too.
  if ((f == 0 && status != 0)) || ((p + f + s == 0)) && [[ -z $filter ]]; then f=$((f + 1)); fi
  skipped=$((skipped + s))
  count "$name" "$p" "$f"
  say "tests: $name … $p passed, $f failed$( ((s == 0)) || echo ", $s skipped") ($(seconds $(($(now_ms) - start))))"
  # To its end: a reader that stops earlier ends the writer, and by it this script.
  ((f == 0)) || sed -e '/^ *$/d' -e 's/^/    /' "$log" | awk 'NR <= 200'
done

if [[ $checks == true ]]; then
  # shellcheck disable=SC2046
  node_tests=$(git ls-files --cached --others --exclude-standard 'eng/*.test.mjs' 'clients/*.test.mjs')
  if [[ -n $node_tests ]]; then
    start=$(now_ms) log=$results/node.log status=0
    limit node --test --test-reporter=tap $node_tests >"$log" 2>&1 </dev/null || status=$?
    p=$(sed -n 's/^# pass //p' "$log") f=$(sed -n 's/^# fail //p' "$log")
    p=${p:-0} f=${f:-0}
    if ((f == 0 && status != 0)); then f=1; fi
    count "node tests" "$p" "$f"
    say "tests: node … $p passed, $f failed ($(seconds $(($(now_ms) - start))))"
    ((f == 0)) || sed 's/^/    /' "$log" | { grep -A12 'not ok' || true; } | awk 'NR <= 100'
  fi
elif ((ran == 0)); then
  fail "no test project matches: ${projects[*]}"
fi
finish
