# shellcheck shell=bash
# Sourced by every script of eng/: where things are, and the opt-outs of tools that would otherwise report on us.

JAFER_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
JAFER_STATE=$JAFER_ROOT/.jafer
export JAFER_ROOT JAFER_STATE
export JAFER_CONFIGURATION=${JAFER_CONFIGURATION:-Release}

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1
export DOTNET_CLI_WORKLOAD_UPDATE_NOTIFY_DISABLE=true DOTNET_GENERATE_ASPNET_CERTIFICATE=false
# Scripts end: no build server may outlive them (eng/build.sh ends the one that it starts).
export MSBUILDDISABLENODEREUSE=1 DOTNET_CLI_USE_MSBUILD_SERVER=0 UseSharedCompilation=false
export ASPIRE_CLI_TELEMETRY_OPTOUT=1 ASPIRE_CLI_NOLOGO=1 ASPIRE_NON_INTERACTIVE=1
export ASPIRE_DASHBOARD_TELEMETRY_OPTOUT=true ASPIRE_VERSION_CHECK_DISABLED=true
export MASSTRANSIT_USAGE_TELEMETRY=false
export NPM_CONFIG_UPDATE_NOTIFIER=false NPM_CONFIG_FUND=false NPM_CONFIG_AUDIT=false
export BUF_NO_UPDATE_NOTIFIER=1

say() { printf '%s\n' "$*"; }
fail() { printf 'jafer: %s\n' "$*" >&2; exit 1; }
seconds() { printf '%d.%d s' $(($1 / 1000)) $(($1 % 1000 / 100)); }
if [[ -n ${EPOCHREALTIME:-} ]]; then
  now_ms() { local t=${EPOCHREALTIME/[.,]/}; echo $((t / 1000)); }
else
  now_ms() { echo $(($(date +%s) * 1000)); } # bash 3 of macOS
fi

# Debian keeps PostgreSQL's server programs off PATH, in a folder per version: take the newest.
find_postgres_bin() {
  local d
  if [[ -n ${JAFER_POSTGRES_BIN:-} ]]; then
    [[ -x $JAFER_POSTGRES_BIN/initdb ]] && echo "$JAFER_POSTGRES_BIN"
    return
  fi
  for d in $(printf '%s\n' /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql@*/bin \
    /usr/local/opt/postgresql@*/bin | sort -rV) "$(dirname "$(command -v initdb || echo /nowhere/x)")"; do
    [[ -x $d/initdb && -x $d/postgres ]] && { echo "$d"; return; }
  done
}

# Debian's /usr/sbin/rabbitmq-server is a wrapper that insists on its own user and folders: take the real one.
find_rabbitmq_bin() {
  local d
  if [[ -n ${JAFER_RABBITMQ_BIN:-} ]]; then
    [[ -x $JAFER_RABBITMQ_BIN/rabbitmq-server ]] && echo "$JAFER_RABBITMQ_BIN"
    return
  fi
  for d in /usr/lib/rabbitmq/bin /opt/homebrew/sbin /usr/local/sbin \
    "$(dirname "$(command -v rabbitmq-server || echo /nowhere/x)")"; do
    [[ -x $d/rabbitmq-server ]] && { echo "$d"; return; }
  done
}

# The interpreter that sees Debian's python3-grpcio is Debian's own, not necessarily the first on PATH.
find_python() {
  local p
  for p in "${JAFER_PYTHON:-}" /usr/bin/python3 "$(command -v python3)"; do
    if [[ -n $p && -x $p ]] && "$p" -c 'import importlib.util as u,sys; sys.exit(not (u.find_spec("grpc") and u.find_spec("google.protobuf")))' 2>/dev/null; then
      echo "$p"
      return
    fi
  done
}

# Debian's servers refuse root: as root they run as the first of these users that exists.
server_user() {
  [[ $(id -u) -eq 0 ]] || { id -un; return; }
  local u
  for u in "$@" nobody; do
    id -u "$u" >/dev/null 2>&1 && { echo "$u"; return; }
  done
}

# as_user USER command…: execs, so that the process id is the command's own.
as_user() {
  local user=$1
  shift
  if [[ $(id -un) == "$user" ]]; then
    exec "$@"
  fi
  exec setpriv --reuid="$user" --regid="$(id -g "$user")" --init-groups --inh-caps=-all "$@"
}

# Where servers keep their data: in the checkout, unless their user cannot reach it (a clone under /root).
data_root() {
  if [[ $(id -u) -ne 0 ]] || (as_user "$(server_user postgres)" test -x "$JAFER_ROOT") 2>/dev/null; then
    echo "$JAFER_STATE"
  else
    echo "/var/lib/jafer-$(printf '%s' "$JAFER_ROOT" | cksum | cut -d' ' -f1)"
  fi
}

# says_not_served LOG: a restore failed because the registry has no such package, not because it could not be asked.
says_not_served() {
  grep -Eq 'NU110[123]|Unable to find package' "$1" &&
    ! grep -Eq 'NU1301|NU1300|Unable to load the service index|Failed to retrieve|Failed to download|timed out|(Name or service|No such host).*known|Connection refused' "$1"
}

# free_ports COUNT, on one line: below the range that outgoing connections use, free when drawn.
free_ports() {
  node -e '
    const net = require("net"), want = +process.argv[1], held = [];
    (function next() {
      if (held.length === want) {
        console.log(held.map(s => s.address().port).join(" "));
        return held.forEach(s => s.close());
      }
      const s = net.createServer();
      s.once("error", next);
      s.listen(20000 + Math.floor(Math.random() * 12000), "127.0.0.1", () => { held.push(s); next(); });
    })();' "$1"
}

export JAFER_POSTGRES_BIN=${JAFER_POSTGRES_BIN:-$(find_postgres_bin)}
export JAFER_RABBITMQ_BIN=${JAFER_RABBITMQ_BIN:-$(find_rabbitmq_bin)}
if [[ -d $JAFER_STATE/aspire/bundle ]]; then
  export ASPIRE_DCP_PATH=${ASPIRE_DCP_PATH:-$JAFER_STATE/aspire/bundle/dcp}
  export ASPIRE_DASHBOARD_PATH=${ASPIRE_DASHBOARD_PATH:-$JAFER_STATE/aspire/bundle/managed/aspire-managed}
fi
