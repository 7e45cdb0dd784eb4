#!/usr/bin/env bash
# RabbitMQ as resources of the AppHost, in the foreground: `epmd` (Erlang's port mapper) or `broker`.
# Environment: JAFER_DATA (its data stand below, in rabbitmq/; password of user jafer in rabbitmq.password), ERL_EPMD_PORT,
# and for the broker RABBITMQ_NODE_PORT and RABBITMQ_DIST_PORT. Everything listens on the loopback only.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../../eng/env.sh"
[[ -n $JAFER_RABBITMQ_BIN ]] || fail "RabbitMQ is missing; ./jafer setup says how to install it"
user=$(server_user rabbitmq)

if [[ $1 == epmd ]]; then
  # A broker without a port mapper starts one as a daemon, which would outlive it.
  as_user "$user" "$(command -v epmd)" -address 127.0.0.1 -port "$ERL_EPMD_PORT"
fi

data=$JAFER_DATA/rabbitmq
mkdir -p "$data"
cat >"$data/rabbitmq.conf" <<X
listeners.tcp.default = 127.0.0.1:$RABBITMQ_NODE_PORT
default_user = jafer
default_pass = $(<"$JAFER_DATA/rabbitmq.password")
loopback_users.jafer = true
log.console = true
log.console.level = info
log.file = false
# A development machine is never full enough to block publishers.
disk_free_limit.absolute = 50MB
X
chmod 600 "$data/rabbitmq.conf"
echo '[].' >"$data/enabled_plugins"
[[ $(id -u) -ne 0 ]] || chown -R "$user" "$data"
cd "$data"
# +sbwt none: Erlang's schedulers would otherwise spin while they wait, on cores that the services need.
export HOME=$data RABBITMQ_NODENAME=jafer@localhost RABBITMQ_MNESIA_BASE=$data/mnesia RABBITMQ_LOG_BASE=$data/log RABBITMQ_LOGS=- \
  RABBITMQ_CONFIG_FILE=$data/rabbitmq.conf RABBITMQ_ENABLED_PLUGINS_FILE=$data/enabled_plugins RABBITMQ_PID_FILE=$data/server.pid \
  RABBITMQ_CONF_ENV_FILE=/dev/null ERL_CRASH_DUMP=/dev/null \
  RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-start_epmd false -kernel inet_dist_use_interface {127,0,0,1} +sbwt none +sbwtdcpu none +sbwtdio none"
# On one processor: Erlang passes each of 50,000 looks for a module from thread to thread, and waking one on another processor
# costs a virtual machine far more than a switch. Half the start (4.8 s against 10 s), and plenty for one machine's events.
pin=()
if command -v taskset >/dev/null; then pin=(taskset -c "$(($(nproc) - 1))"); fi
# Everything else is up before it when all start at once, and waits for it: it goes first where that is allowed.
[[ $(id -u) -ne 0 ]] || renice -n -10 -p $$ >/dev/null 2>&1 || true
as_user "$user" ${pin[@]+"${pin[@]}"} "$JAFER_RABBITMQ_BIN/rabbitmq-server"
