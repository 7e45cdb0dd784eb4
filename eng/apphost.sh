# shellcheck shell=bash
# Sourced by run.sh, check.sh and bench.sh: how the AppHost is built, started and awaited.
. "$JAFER_ROOT/eng/build.sh"

apphost_dll() { echo "$JAFER_ROOT/artifacts/$1/AppHost/$(tr '[:upper:]' '[:lower:]' <<<"$JAFER_CONFIGURATION")/AppHost.dll"; }

# One build of a checkout at a time. No child keeps the lock: a build server may outlive its command.
alone() {
  (
    if command -v flock >/dev/null; then flock 6; fi
    "$@" 6>&-
  ) 6>"$JAFER_STATE/build.lock"
}

# prepare_apphost true|false: whether to build before.
prepare_apphost() {
  [[ $1 == false ]] || alone build_apphost
  alone ready_apphost
}

build_apphost() {
  local log=$JAFER_STATE/logs/build.log start
  start=$(now_ms)
  printf 'build: AppHost and services … '
  if built "$JAFER_ROOT/AppHost/AppHost.csproj" >"$log" 2>&1 </dev/null; then
    say "$(seconds $(($(now_ms) - start)))"
  else
    say failed
    grep -E 'error|warning' "$log" | sort -u | head -n 40 >&2 || tail -n 40 "$log" >&2
    fail "the build failed (whole output: ${log#"$JAFER_ROOT"/})"
  fi
}

# Copies of the programs compiled ahead of time; without the compiler, or with JAFER_READY=false, the built ones are started.
ready_apphost() {
  local start made
  if [[ ! -f $JAFER_STATE/ready/compiler.json || ${JAFER_READY:-true} != true || $JAFER_CONFIGURATION != Release || ! -f $(apphost_dll bin) ]]; then
    rm -rf "$JAFER_ROOT/artifacts/ready"
    return 0
  fi
  start=$(now_ms)
  printf 'build: compiling ahead of time … '
  if made=$(node "$JAFER_ROOT/eng/ready.mjs" "$JAFER_CONFIGURATION" AppHost Jafer.Cli \
    Jafer.Directory Jafer.Mesures Jafer.Messaging Jafer.Notifications 2>"$JAFER_STATE/logs/ready.err"); then
    say "$made ($(seconds $(($(now_ms) - start))))"
  else
    say "failed (.jafer/logs/ready.err): programs start more slowly"
    rm -rf "$JAFER_ROOT/artifacts/ready"
  fi
}

# Where this run keeps its data and writes its addresses. A check has its own, beside those of a running system.
use_place() { # use_place NAME: "" for ./jafer run
  JAFER_DATA=$(data_root)/data${1:+-$1}
  export JAFER_DATA
  export JAFER_ENDPOINTS=$JAFER_STATE/endpoints${1:+-$1}.json
}

# One run per place: the lock is held by the AppHost and by all that it starts, so it is free when all are gone.
take_place() {
  command -v flock >/dev/null || return 0
  exec 7>"$JAFER_ENDPOINTS.lock"
  flock -w "${1:-0}" 7 || return 1
  export JAFER_PLACE_HELD=$JAFER_ENDPOINTS # the AppHost would take it itself
}

# place_is_free SECONDS: nothing that the AppHost started still runs.
place_is_free() {
  command -v flock >/dev/null || return 0
  exec 7>&-
  flock -w "$1" "$JAFER_ENDPOINTS.lock" true
}

# Becomes the AppHost: signals sent to the caller's process reach it directly.
exec_apphost() {
  local dll
  dll=$(apphost_dll ready)
  [[ -f $dll ]] || dll=$(apphost_dll bin)
  [[ -f $dll ]] || fail "the AppHost was not built: leave out --no-build"
  export DOTNET_ENVIRONMENT=${DOTNET_ENVIRONMENT:-Development}
  export ASPIRE_ALLOW_UNSECURED_TRANSPORT=true # loopback only
  # The runtime compiles again, in the background, what is called often, once a tenth of a second brought nothing new. On busy
  # processors such pauses are frequent, and that work was a third of a start: here it waits for ten quiet seconds (hexadecimal).
  export DOTNET_TC_CallCountingDelayMs=${DOTNET_TC_CallCountingDelayMs:-2710}
  rm -f "$JAFER_ENDPOINTS"
  cd "$JAFER_ROOT/AppHost"
  exec dotnet "$dll" "$@"
}

# ready PID: the endpoints file of that process is there.
ready() { [[ -f $JAFER_ENDPOINTS ]] && grep -Eq "\"pid\": *$1([^0-9]|\$)" "$JAFER_ENDPOINTS"; }

# await_ready PID SECONDS: 0 ready, 1 the process ended, 2 too late.
await_ready() {
  local limit=$(($(now_ms) + $2 * 1000))
  until ready "$1"; do
    kill -0 "$1" 2>/dev/null || return 1
    (($(now_ms) < limit)) || return 2
    sleep 0.25 # each is a process, while every other one waits for a processor
  done
}

show_endpoints() {
  node -e '
    const e = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8"));
    const line = (name, text) => text && console.log("  " + name.padEnd(14) + text);
    line("dashboard", e.dashboard?.loginUrl ?? e.dashboard?.url);
    for (const [name, s] of Object.entries(e.services ?? {})) line(name, `${s.grpc} (gRPC), ${s.health} (health)`);
    line("identity", e.identity?.issuer);
    line("mail", e.mail?.web);' "$JAFER_ENDPOINTS"
}
