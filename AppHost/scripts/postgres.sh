#!/usr/bin/env bash
# PostgreSQL as a resource of the AppHost, in the foreground. Environment: PGPORT (where it listens), JAFER_DATA (its data
# stand below, in postgres/) and the password of user postgres in JAFER_DATA/postgres.password, used once by initdb.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../../eng/env.sh"
[[ -n $JAFER_POSTGRES_BIN ]] || fail "PostgreSQL's server programs are missing; ./jafer setup says how to install them"

user=$(server_user postgres) # it refuses to run as root
data=$JAFER_DATA/postgres
if [[ ! -f $data/PG_VERSION ]]; then
  rm -rf "$data"
  mkdir -m 700 "$data"
  once=$(mktemp -d)
  trap 'rm -rf "$once"' EXIT
  cp "$JAFER_DATA/postgres.password" "$once/password"
  [[ $(id -u) -ne 0 ]] || chown -R "$user" "$data" "$once"
  locale=C.UTF-8
  [[ $(uname) == Darwin ]] && locale=en_US.UTF-8
  (cd "$once" && as_user "$user" "$JAFER_POSTGRES_BIN/initdb" -D "$data" -U postgres -A scram-sha-256 \
    --pwfile="$once/password" -E UTF8 --locale="$locale" --no-sync)
  rm -rf "$once"
  cat >>"$data/postgresql.conf" <<'X'
listen_addresses = 'localhost'
unix_socket_directories = ''
max_connections = 550
shared_buffers = 192MB
max_wal_size = 1GB
wal_compression = on
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
X
fi

# TERM would let open sessions end by themselves, and be cut short by force: INT ends them and closes the data in order.
cd "$data"
(as_user "$user" "$JAFER_POSTGRES_BIN/postgres" -D "$data" -p "$PGPORT") &
server=$!
trap 'kill -INT "$server" 2>/dev/null' TERM INT
status=0
wait "$server" || status=$?
while kill -0 "$server" 2>/dev/null; do
  status=0
  wait "$server" || status=$?
done
exit $status
