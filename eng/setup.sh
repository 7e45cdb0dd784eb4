#!/usr/bin/env bash
# Finds what this machine lacks for Jafer, says what and why, and installs it where it may.
# Called by ./jafer before everything else; a call that finds nothing missing takes less than a second.
#   --browser   also what tests need to look at web pages as their readers do
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$JAFER_ROOT"
mkdir -p "$JAFER_STATE/home" "$JAFER_STATE/logs"

# One set-up of a checkout at a time: a second one waits for the first and then finds nothing missing.
if command -v flock >/dev/null; then
  exec 9>"$JAFER_STATE/setup.lock"
  flock 9
fi

step() { # step TITLE command…: one line with its time; the command's output is shown only if it fails
  local title=$1 log=$JAFER_STATE/logs/setup.log start
  shift
  start=$(now_ms)
  printf 'set-up: %s … ' "$title"
  # Without the lock: a compiler server that outlives the command must not keep it.
  if "$@" >"$log" 2>&1 </dev/null 9>&-; then
    say "$(seconds $(($(now_ms) - start)))"
  else
    say failed
    tail -n 40 "$log" >&2
    fail "set-up stopped at: $title (whole output: ${log#"$JAFER_ROOT"/})"
  fi
}

is() { [[ -f $1 && $(<"$1") == "$2" ]]; }
sum() { cat "$@" | cksum | tr -d ' '; }

# ---- programs of the system ------------------------------------------------------------------------------------

missing_packages=() missing_text=()
need() { # need DEBIAN-PACKAGES WHY BREW
  missing_packages+=($1)
  missing_text+=("  - $2 (Debian: $1; macOS: $3)")
}

command -v dotnet >/dev/null || fail "the .NET SDK 10 is missing: https://dotnet.microsoft.com/download, or on Debian and Ubuntu 'apt-get install dotnet-sdk-10.0' from Microsoft's feed"
dotnet --version >/dev/null 2>&1 || fail "no installed .NET SDK satisfies global.json (10.0.1xx or later 10.0 needed; found: $(dotnet --list-sdks | cut -d' ' -f1 | tr '\n' ' '))"
if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
  need "nodejs npm" "node ≥ 20 and npm: development identity provider, mail catcher, buf, foreign client" "brew install node"
elif [[ $(node -p 'process.versions.node.split(".")[0]') -lt 20 ]]; then
  fail "node 20 or later is needed; found $(node --version)"
fi
[[ -n $JAFER_POSTGRES_BIN ]] || need "postgresql" "PostgreSQL ≥ 15's server programs: one database per service" "brew install postgresql@17"
[[ -n $JAFER_RABBITMQ_BIN ]] || need "rabbitmq-server" "RabbitMQ ≥ 3.10: the services' events" "brew install rabbitmq"
[[ -n $(find_python) ]] || need "python3 python3-grpcio python3-protobuf" "python's gRPC: the foreign client in python" "python3 -m pip install grpcio protobuf"

find_font() { # the first of the pairs that PdfFonts.cs looks for
  local f
  for f in /usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf /usr/share/fonts/truetype/liberation{,2}/LiberationSans-Bold.ttf \
    /usr/share/fonts/dejavu-sans-fonts/DejaVuSans-Bold.ttf /usr/share/fonts/liberation-sans/LiberationSans-Bold.ttf /usr/share/fonts/TTF/DejaVuSans-Bold.ttf \
    "/System/Library/Fonts/Supplemental/Arial Bold.ttf"; do
    [[ ! -f $f ]] || { echo "$f"; return; }
  done
}
[[ -n $(find_font) ]] || need "fonts-dejavu-core" "a font with French letters: the PDFs of notices and notes" "comes with macOS"
if [[ ${1:-} == --browser && -z ${JAFER_CHROMIUM:-} ]]; then
  command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || command -v google-chrome-stable >/dev/null ||
    need "chromium" "Chromium: the test of the pages' accessibility; or set JAFER_CHROMIUM" "brew install --cask chromium"
fi

if ((${#missing_packages[@]})); then
  say "Missing on this machine:"
  printf '%s\n' "${missing_text[@]}"
  command="apt-get install -y --no-install-recommends ${missing_packages[*]}"
  if ! command -v apt-get >/dev/null; then
    fail "install these with your system's package manager, then call ./jafer again"
  elif [[ $(id -u) -ne 0 ]]; then
    say "Not root, so nothing was installed. Run:"
    say "  sudo apt-get update && sudo $command"
    exit 1
  fi
  # Installing must not start system-wide servers: Jafer starts its own.
  policy=/usr/sbin/policy-rc.d
  if [[ ! -e $policy ]]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
    trap 'rm -f "$policy"' EXIT
  fi
  export DEBIAN_FRONTEND=noninteractive
  step "apt-get update" apt-get update
  step "apt-get install ${missing_packages[*]}" $command
  JAFER_POSTGRES_BIN='' JAFER_RABBITMQ_BIN=''
  JAFER_POSTGRES_BIN=$(find_postgres_bin) JAFER_RABBITMQ_BIN=$(find_rabbitmq_bin) || true
  [[ -n $JAFER_POSTGRES_BIN && -n $JAFER_RABBITMQ_BIN && -n $(find_python) ]] || fail "still missing after the installation; see .jafer/logs/setup.log"
fi

# ---- npm -------------------------------------------------------------------------------------------------------

lock=$(sum package.json package-lock.json)
if ! is "$JAFER_STATE/npm.stamp" "$lock" || [[ ! -d node_modules ]]; then
  step "npm ci" npm ci --no-audit --no-fund
  echo "$lock" >"$JAFER_STATE/npm.stamp"
fi

# ---- which engine runs the AppHost, and which packages the registry serves -------------------------------------

probe() { # probe NAME: restores a scratch project that no rule of the repository reaches; its log is kept
  local folder=$JAFER_STATE/probe/$1
  rm -rf "$folder"
  mkdir -p "$folder"
  local f
  for f in Directory.Build.props Directory.Build.targets Directory.Packages.props; do
    echo '<Project />' >"$folder/$f"
  done
  cat >"$folder/probe.csproj"
  dotnet restore "$folder/probe.csproj" -p:NuGetAudit=false -p:RestorePackagesPath="$folder/packages" \
    -p:RestoreNoCache=false -v q >"$JAFER_STATE/logs/probe-$1.log" 2>&1 </dev/null
}

version_of() { sed -n "s/.*Include=\"$1\" Version=\"\([^\"]*\)\".*/\1/p" Directory.Packages.props; }

# What the registry lacks is remembered; that it could not be asked is not.
probe_engine() {
  local genuine=false feed=false aspire sure=true
  aspire=$(version_of Aspire.Hosting)
  if probe aspire <<<"<Project Sdk=\"Microsoft.NET.Sdk\">
    <Sdk Name=\"Aspire.AppHost.Sdk\" Version=\"$aspire\" />
    <PropertyGroup><TargetFramework>net10.0</TargetFramework><OutputType>Exe</OutputType></PropertyGroup>
  </Project>"; then
    genuine=true
  else
    says_not_served "$JAFER_STATE/logs/probe-aspire.log" || sure=false
  fi
  local items='' id
  for id in Grpc.AspNetCore Google.Protobuf Microsoft.IdentityModel.JsonWebTokens OpenTelemetry.Extensions.Hosting OpenTelemetry.Exporter.OpenTelemetryProtocol; do
    items+="<PackageReference Include=\"$id\" Version=\"[$(version_of "$id")]\" />"
  done
  probe packages <<<"<Project Sdk=\"Microsoft.NET.Sdk.Web\">
    <PropertyGroup><TargetFramework>net10.0</TargetFramework></PropertyGroup>
    <ItemGroup>$items</ItemGroup>
  </Project>" || {
    feed=true
    says_not_served "$JAFER_STATE/logs/probe-packages.log" || sure=false
  }
  rm -rf "$JAFER_STATE/probe"
  cat >"$JAFER_STATE/engine.props" <<X
<Project>
  <!-- Written by set-up, which asked the configured package registry once; delete it to ask again. -->
  <PropertyGroup>
    <UseGenuineAspire>$genuine</UseGenuineAspire>
    <UseLocalFeed>$feed</UseLocalFeed>
  </PropertyGroup>
</Project>
X
  if [[ $sure == true ]]; then echo "$asked" >"$JAFER_STATE/engine.stamp"; else rm -f "$JAFER_STATE/engine.stamp"; fi
}

asked=$(sum Directory.Packages.props eng/setup.sh)
if [[ ! -f $JAFER_STATE/engine.props ]] || ! is "$JAFER_STATE/engine.stamp" "$asked"; then
  step "asking the package registry for Aspire and gRPC" probe_engine
  [[ -f $JAFER_STATE/engine.stamp ]] ||
    say "  the registry could not be asked (.jafer/logs/probe-*.log): this time as if it had neither; the next set-up asks again"
fi
genuine=$(sed -n 's/.*<UseGenuineAspire>\(.*\)<.*/\1/p' "$JAFER_STATE/engine.props")
feed=$(sed -n 's/.*<UseLocalFeed>\(.*\)<.*/\1/p' "$JAFER_STATE/engine.props")

# ---- the compiler that makes programs start faster (eng/ready.mjs) ----------------------------------------------

# Of the version of the SDK, through NuGet's own cache. Where the registry does not serve it all runs as well, only slower to start.
find_compiler() {
  local folder=$JAFER_STATE/ready/compiler
  rm -rf "$JAFER_STATE/ready/compiler.json" "$folder"
  mkdir -p "$folder"
  local f
  for f in Directory.Build.props Directory.Build.targets Directory.Packages.props; do
    echo '<Project />' >"$folder/$f"
  done
  cat >"$folder/compiler.csproj" <<'X'
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><TargetFramework>net10.0</TargetFramework></PropertyGroup>
  <ItemGroup>
    <PackageDownload Include="Microsoft.NETCore.App.Crossgen2.$(NETCoreSdkPortableRuntimeIdentifier)" Version="[$(BundledNETCoreAppPackageVersion)]" />
  </ItemGroup>
</Project>
X
  local log=$JAFER_STATE/logs/probe-compiler.log
  rm -f "$JAFER_STATE/ready/stamp"
  if dotnet restore "$folder/compiler.csproj" -p:NuGetAudit=false -v q >"$log" 2>&1; then
    echo "$sdk" >"$JAFER_STATE/ready/stamp"
    dotnet msbuild "$folder/compiler.csproj" -nologo >"$folder.json" \
      -getProperty:BundledNETCoreAppPackageVersion,NETCoreSdkPortableRuntimeIdentifier,NuGetPackageRoot,NetCoreRoot
  elif says_not_served "$log"; then
    echo "$sdk" >"$JAFER_STATE/ready/stamp"
  fi
  rm -rf "$folder"
}

sdk="$(dotnet --version) $(sum eng/setup.sh)"
if ! is "$JAFER_STATE/ready/stamp" "$sdk"; then
  step "asking the package registry for the ahead-of-time compiler" find_compiler
  [[ -f $JAFER_STATE/ready/compiler.json ]] || say "  not served$([[ -f $JAFER_STATE/ready/stamp ]] || echo " this time"): programs are compiled while they run, so they start more slowly"
fi

# ---- the Aspire CLI's bundle: DCP, dashboard, and the assemblies of the package feed ----------------------------

unpack_bundle() {
  local cli=$JAFER_ROOT/node_modules/@microsoft/aspire-cli-linux-x64/bin/aspire
  [[ -x $cli ]] || { echo "npm has no Aspire CLI for $(uname -sm): use a registry that serves the Aspire packages"; return 1; }
  # Everything that it writes stays in the checkout. One call only: an earlier one would unpack a second copy.
  HOME=$JAFER_STATE/home ASPIRE_HOME=$JAFER_STATE/aspire "$cli" setup --install-path "$JAFER_STATE/aspire" --non-interactive --nologo
  [[ -x $JAFER_STATE/aspire/bundle/dcp/dcp && -x $JAFER_STATE/aspire/bundle/managed/aspire-managed ]]
}

if [[ $genuine != true || $feed == true ]]; then
  # The folder must not be moved after unpacking (its link is absolute), so the checkout's place is part of the stamp.
  want="$(sed -n 's/.*aspire-cli-linux-x64": "\(.*\)".*/\1/p' package.json) $JAFER_ROOT"
  if ! is "$JAFER_STATE/aspire.stamp" "$want" || [[ ! -x $JAFER_STATE/aspire/bundle/dcp/dcp ]]; then
    rm -rf "$JAFER_STATE/aspire"
    step "unpacking the Aspire CLI's bundle" unpack_bundle
    echo "$want" >"$JAFER_STATE/aspire.stamp"
  fi
fi

if [[ $feed == true ]]; then
  want=$(sum eng/feed/feed.cs "$JAFER_STATE/aspire.stamp")
  if ! is "$JAFER_STATE/feed.stamp" "$want" || [[ ! -d $JAFER_STATE/feed ]]; then
    step "package feed from the bundle" dotnet run eng/feed/feed.cs -- "$JAFER_STATE/aspire/bundle/managed/aspire-managed" "$JAFER_STATE/feed"
    echo "$want" >"$JAFER_STATE/feed.stamp"
  fi
else
  rm -rf "$JAFER_STATE/feed" "$JAFER_STATE/feed.stamp"
fi
