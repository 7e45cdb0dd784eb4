#!/usr/bin/env bash
# PostgreSQL and RabbitMQ of a checkout's tests: real servers, own data folders, own ports, nothing system-wide.
#
#   eng/servers.sh start|stop|restart|kill|status|env|purge [--instance NAME] [postgres] [rabbitmq]
#
# start   starts what is not running and waits until it answers; data and ports are kept between starts
# stop    stops in order; kill stops at once, as a power cut would (for tests of faults)
# env     prints the connection strings as export lines: eval "$(./jafer servers env)"
# purge   kills and deletes the data
# An instance is a second pair of servers beside the usual one ("default"); a test of faults takes its own.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

usage() { sed -n '2,11s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit "${1:-2}"; }

action=${1:-}
[[ $# -gt 0 ]] && shift
instance=default which=()
while (($#)); do
  case $1 in
    --instance) instance=${2:?--instance needs a name}; shift ;;
    postgres | rabbitmq) which+=("$1") ;;
    *) usage ;;
  esac
  shift
done
((${#which[@]})) || which=(postgres rabbitmq)
[[ $instance =~ ^[a-z0-9-]{1,30}$ ]] || fail "an instance's name is made of a-z, 0-9 and -"

home=$(data_root)/test/$instance
mkdir -p "$home"
postgres_user=$(server_user postgres)
rabbitmq_user=$(server_user rabbitmq)


# A process that ended but was not yet collected by its parent does not count.
alive() { [[ -s $home/$1.pid ]] && [[ $(ps -o stat= -p "$(<"$home/$1.pid")" 2>/dev/null) == [!Z]* ]]; }

# wait_for SECONDS NAME command…: polls a condition; a server that died or a limit ends it with the log's tail.
wait_for() {
  local limit=$(($(now_ms) + $1 * 1000)) name=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    if ! alive "$name" || (($(now_ms) > limit)); then
      tail -n 30 "$home/$name.log" >&2 2>/dev/null
      fail "$name did not become ready (whole output: $home/$name.log)"
    fi
    sleep 0.05
  done
}

gone() { ! alive "$1"; }

wait_gone() { # wait_gone NAME SECONDS: then insists
  local limit=$(($(now_ms) + $2 * 1000))
  until gone "$1"; do
    if (($(now_ms) > limit)); then
      kill -KILL -- "-$(<"$home/$1.pid")" 2>/dev/null || true
    fi
    sleep 0.05
  done
  rm -f "$home/$1.pid"
}

# launch NAME USER command…: in its own process group, so that a Ctrl+C meant for the tests does not reach it.
launch() {
  local name=$1 user=$2
  shift 2
  (
    exec </dev/null >"$home/$name.log" 2>&1 9>&-
    cd "$home"
    set -m
    as_user "$user" "$@" &
    echo $! >"$home/$name.pid"
  )
}

read_settings() {
  if [[ ! -f $home/settings ]]; then
    local p
    p=($(free_ports 4))
    (
      umask 077
      cat >"$home/settings" <<X
password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
postgres_port=${p[0]}
rabbitmq_port=${p[1]}
rabbitmq_dist_port=${p[2]}
epmd_port=${p[3]}
X
    )
  fi
  # shellcheck disable=SC1091
  . "$home/settings"
}

# ---- PostgreSQL ------------------------------------------------------------------------------------------------

start_postgres() {
  alive postgres && return
  [[ -n $JAFER_POSTGRES_BIN ]] || fail "PostgreSQL's server programs are missing; ./jafer setup says how to install them"
  local data=$home/postgres
  if [[ ! -f $data/PG_VERSION ]]; then
    rm -rf "$data"
    mkdir -m 700 "$data"
    printf '%s' "$password" >"$home/postgres.pw"
    local locale=C.UTF-8
    [[ $(uname) == Darwin ]] && locale=en_US.UTF-8
    [[ $(id -u) -eq 0 ]] && chown "$postgres_user" "$data" "$home/postgres.pw"
    (cd "$home" && as_user "$postgres_user" "$JAFER_POSTGRES_BIN/initdb" -D "$data" -U postgres -A scram-sha-256 \
      --pwfile="$home/postgres.pw" -E UTF8 --locale="$locale" --no-sync) >"$home/postgres.log" 2>&1 ||
      { cat "$home/postgres.log" >&2; fail "initdb failed"; }
    rm -f "$home/postgres.pw"
    # Many small databases made from templates, few rows: let checkpoints be rare. Durability is not relaxed.
    cat >>"$data/postgresql.conf" <<'X'
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 400
shared_buffers = 192MB
max_wal_size = 2GB
checkpoint_timeout = 30min
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
log_min_messages = warning
X
  fi
  rm -f "$data/postmaster.pid"
  launch postgres "$postgres_user" "$JAFER_POSTGRES_BIN/postgres" -D "$data" -p "$postgres_port"
  wait_for 30 postgres "$JAFER_POSTGRES_BIN/pg_isready" -q -h 127.0.0.1 -p "$postgres_port" -U postgres
}

stop_postgres() {
  alive postgres || return 0
  kill -INT "$(<"$home/postgres.pid")" 2>/dev/null || true # INT: "fast", open sessions are ended
  wait_gone postgres 15
}

# ---- RabbitMQ --------------------------------------------------------------------------------------------------

amqp_answers() { # the broker's own first frame, not merely an open port
  local reply
  exec 8<>"/dev/tcp/127.0.0.1/$rabbitmq_port" || return 1
  printf 'AMQP\0\0\011\001' >&8
  reply=$(dd bs=1 count=1 <&8 2>/dev/null | od -An -tx1 | tr -d ' \n')
  exec 8>&-
  [[ $reply == 01 ]]
}

start_rabbitmq() {
  alive rabbitmq && return
  [[ -n $JAFER_RABBITMQ_BIN ]] || fail "RabbitMQ is missing; ./jafer setup says how to install it"
  local data=$home/rabbitmq
  mkdir -p "$data"
  cat >"$data/rabbitmq.conf" <<X
listeners.tcp.default = 127.0.0.1:$rabbitmq_port
default_user = jafer
default_pass = $password
loopback_users.jafer = true
log.console = true
log.console.level = warning
log.file = false
# A development machine is never full enough to block publishers.
disk_free_limit.absolute = 50MB
X
  echo '[].' >"$data/enabled_plugins"
  [[ $(id -u) -eq 0 ]] && chown -R "$rabbitmq_user" "$data"
  # RabbitMQ would start the port mapper as a daemon that outlives it: give it one of our own.
  alive epmd || launch epmd "$rabbitmq_user" "$(command -v epmd)" -address 127.0.0.1 -port "$epmd_port"
  launch rabbitmq "$rabbitmq_user" env HOME="$data" RABBITMQ_NODENAME="jafer-$instance@localhost" \
    RABBITMQ_NODE_PORT="$rabbitmq_port" RABBITMQ_DIST_PORT="$rabbitmq_dist_port" ERL_EPMD_PORT="$epmd_port" \
    RABBITMQ_MNESIA_BASE="$data/mnesia" RABBITMQ_LOG_BASE="$data/log" RABBITMQ_LOGS=- \
    RABBITMQ_CONFIG_FILE="$data/rabbitmq.conf" RABBITMQ_ENABLED_PLUGINS_FILE="$data/enabled_plugins" \
    RABBITMQ_PID_FILE="$data/server.pid" RABBITMQ_CONF_ENV_FILE=/dev/null ERL_CRASH_DUMP=/dev/null \
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-start_epmd false -kernel inet_dist_use_interface {127,0,0,1}" \
    "$JAFER_RABBITMQ_BIN/rabbitmq-server"
  wait_for 60 rabbitmq amqp_answers
}

stop_rabbitmq() {
  if alive rabbitmq; then
    kill -TERM -- "-$(<"$home/rabbitmq.pid")" 2>/dev/null || true
    wait_gone rabbitmq 15
  fi
  if alive epmd; then
    kill -TERM "$(<"$home/epmd.pid")" 2>/dev/null || true
    wait_gone epmd 5
  fi
}

kill_server() {
  alive "$1" || return 0
  kill -KILL -- "-$(<"$home/$1.pid")" 2>/dev/null || true
  wait_gone "$1" 5
}

each() {
  local w
  for w in "${which[@]}"; do
    "$1_$w"
  done
}

case $action in
  start)
    read_settings
    each start
    ;;
  stop) each stop ;;
  restart)
    read_settings
    each stop
    each start
    ;;
  kill)
    for w in "${which[@]}"; do kill_server "$w"; done
    ;;
  purge)
    for w in "${which[@]}" epmd; do kill_server "$w"; done
    rm -rf "$home"
    ;;
  status)
    for w in "${which[@]}"; do
      if alive "$w"; then say "$w runs (process $(<"$home/$w.pid"))"; else say "$w is stopped"; fi
    done
    ;;
  env)
    [[ -f $home/settings ]] || fail "nothing started yet: ./jafer servers start"
    read_settings
    say "export JAFER_TEST_POSTGRES='Host=127.0.0.1;Port=$postgres_port;Username=postgres;Password=$password;Include Error Detail=true'"
    say "export JAFER_TEST_RABBITMQ='amqp://jafer:$password@127.0.0.1:$rabbitmq_port'"
    ;;
  *) usage ;;
esac
