#!/usr/bin/env bash
# ./jafer readonly [SERVICE]
#
# Publishes a service as it is delivered (notification, unless another is named), and runs it with the settings of production as a
# user who owns nothing, from a folder that nobody may write, without a home or a temporary folder: it must become healthy, change no
# file of its folder and have none open to write. Needs ./jafer servers start, Linux and root. Exit status 0 or 1.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$JAFER_ROOT"

case ${1:-} in -h | --help) sed -n '2,6s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;; esac
service=${1:-notification}
[[ -d services/$service ]] || fail "no service named $service"
[[ $(uname) == Linux && $(id -u) -eq 0 ]] || fail "it takes Linux, and root to become nobody"
project=$(basename services/"$service"/*.csproj .csproj)
servers=$(eng/servers.sh env) || fail "./jafer servers start first"
eval "$servers"

folder=$(mktemp -d)
database=jafer_readonly_$$
pid=''
of() { sed -n "s/.*$1=\([^;]*\).*/\1/p" <<<"$JAFER_TEST_POSTGRES"; }
clean_up() {
  [[ -z $pid ]] || { kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null; } || true
  PGPASSWORD=$(of Password) psql -q -h "$(of Host)" -p "$(of Port)" -U "$(of Username)" -d postgres -c "drop database if exists $database with (force)" >/dev/null 2>&1 || true
  chmod -R u+w "$folder"
  rm -rf "$folder"
}
trap clean_up EXIT

start=$(now_ms)
dotnet publish "services/$service" -c "$JAFER_CONFIGURATION" -o "$folder/app" -nodeReuse:false -v q -nologo >"$folder/publish.log" 2>&1 </dev/null ||
  { tail -n 20 "$folder/publish.log" >&2; fail "it could not be published"; }
say "readonly: $project is published ($(seconds $(($(now_ms) - start))))"

read -r grpc health <<<"$(free_ports 2)"
printf '{"keys":[]}' >"$folder/keys.json"
# shellcheck disable=SC2154 # JAFER_TEST_… are what the servers told.
settings=(
  "ConnectionStrings__$service=$JAFER_TEST_POSTGRES;Database=$database" "ConnectionStrings__rabbitmq=$JAFER_TEST_RABBITMQ" "Broker__Prefix=readonly$$."
  Identity__Authority=https://issuer.invalid Identity__Roles__0=juridiction "Identity__KeysFile=$folder/keys.json" Identity__Members=none
  "PageTokens__Key=$(head -c 32 /dev/urandom | base64)" "Index__Key=$(head -c 32 /dev/urandom | base64)" Secrets__Keys__0__Id=readonly "Secrets__Keys__0__Key=$(head -c 32 /dev/urandom | base64)"
  Tls__AllowClearText=true "Kestrel__Endpoints__grpc__Url=http://127.0.0.1:$grpc" "Kestrel__Endpoints__health__Url=http://127.0.0.1:$health"
  DOTNET_EnableDiagnostics=0 HOME=/nonexistent TMPDIR=/nonexistent ASPNETCORE_ENVIRONMENT=Production
)
env "${settings[@]}" dotnet "$folder/app/$project.dll" --migrate >"$folder/migrate.log" 2>&1 || { tail -n 20 "$folder/migrate.log" >&2; fail "its database could not be made"; }

chmod -R a-w,a+rX "$folder"
before=$(cd "$folder/app" && find . -type f -exec sha256sum {} + | sort | sha256sum)
start=$(now_ms)
cd "$folder/app"
env "${settings[@]}" setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all --no-new-privs dotnet "$project.dll" >/dev/null 2>&1 </dev/null &
pid=$!
answer=''
for ((i = 0; i < 120; i++)); do
  answer=$(curl -s --max-time 2 "http://127.0.0.1:$health/health" || true)
  [[ $answer != Healthy && $answer != Degraded ]] || break
  kill -0 "$pid" 2>/dev/null || fail "it ended before it was healthy"
  sleep 0.5
done
[[ $answer == Healthy || $answer == Degraded ]] || fail "it did not become healthy: '$answer'"
say "readonly: it runs as $(stat -c %u "/proc/$pid") and is $answer ($(seconds $(($(now_ms) - start))))"

# What whoever started this has open, such as a lock, is none of the service's.
inherited=$(for f in /proc/$$/fd/*; do readlink "$f" || true; done)
written=$(for f in /proc/"$pid"/fd/*; do
  target=$(readlink "$f" || true)
  [[ $target == /* && $target != /dev/* && $target != /memfd:* ]] || continue
  ! grep -qxF "$target" <<<"$inherited" || continue
  flags=$(awk '/^flags:/ { print $2 }' "/proc/$pid/fdinfo/${f##*/}")
  (((8#$flags & 3) == 0)) || echo "$target"
done)
[[ -z $written ]] || fail "it has files open to write: $written"
[[ $(find . -type f -exec sha256sum {} + | sort | sha256sum) == "$before" ]] || fail "it changed its folder"
say "readonly: no file of its folder is changed, none is open to write"
