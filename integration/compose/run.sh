#!/bin/sh
# make compose-test: the stack of deploy/docker-compose.yml on a real engine. Finds
# or makes what it needs, runs the test, and takes away what it made:
#   - an engine: the one that docker reaches; else, as root on Debian or Ubuntu, one
#     of its own (docker.io from apt, dockerd with its data in the cache folder);
#   - Docker Compose 2.20 or newer: the plugin; else built once from its Go module;
#   - base images: pulled; else stand-ins, see standins.sh.
# Where there is no engine to be had it says NOT RUN and why, and exits with 0, or
# with 1 if FLOX_COMPOSE=required.
# Arguments are flags of go test, such as -run TestCluster.
# FLOX_PICTURES=folder writes pictures of the dashboards there.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/flox-compose-test

not_run() {
	echo "compose-test: NOT RUN: $*" >&2
	[ "${FLOX_COMPOSE:-}" != required ] || exit 1
	exit 0
}

mkdir -p "$cache" || not_run "no cache folder; set XDG_CACHE_HOME to one"

can_install() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

# install PACKAGE...: with no service started.
install() {
	echo "installing $* with apt-get" >&2
	export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
	{ apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@"; } >"$cache/apt.log" 2>&1 ||
		{ tail -3 "$cache/apt.log" >&2; return 1; }
}

# What the stacks of this run are named by, so that they can be found.
export FLOX_COMPOSE_PROJECT=flox-test-$$

engine=
stop_all() {
	{ # what a test that was interrupted has left
		docker ps -aq --filter "name=$FLOX_COMPOSE_PROJECT" | xargs -r docker rm -fv
		docker network ls -q --filter "name=$FLOX_COMPOSE_PROJECT" | xargs -r docker network rm
		docker volume ls -q --filter "name=$FLOX_COMPOSE_PROJECT" | xargs -r docker volume rm
		docker image rm -f flox-compose-test
	} >/dev/null 2>&1 || true
	"$here/standins.sh" remove || true
	[ -n "$engine" ] || return 0
	docker builder prune -f --keep-storage 2GB >/dev/null 2>&1 || true # the next run builds faster with it
	kill "$engine" && wait "$engine" || true
	rm -rf "$run"
}

# start_engine: a dockerd of our own, which ends with us.
start_engine() {
	[ "$(uname)" = Linux ] || not_run "no Docker engine answers; start Docker Desktop or another one"
	[ "$(id -u)" = 0 ] || not_run "no Docker engine answers, and only root can start one: $(docker info 2>&1 >/dev/null | tail -1)"
	if ! command -v dockerd >/dev/null; then
		can_install || not_run "dockerd not found, and there is no apt-get to install it with"
		install docker.io iptables || not_run "docker.io cannot be installed"
	fi
	run=$(mktemp -d)
	export DOCKER_HOST="unix://$run/docker.sock"
	# Apart from us, so that Ctrl-C leaves it to the end.
	setsid dockerd --data-root "$cache/engine" --exec-root "$run/exec" --pidfile "$run/pid" --host "$DOCKER_HOST" \
		>"$cache/dockerd.log" 2>&1 &
	engine=$!
	i=0
	until docker info >/dev/null 2>&1; do
		i=$((i + 1))
		if [ $i -gt 60 ] || ! kill -0 "$engine" 2>/dev/null; then
			not_run "dockerd does not start here: $(tail -1 "$cache/dockerd.log")"
		fi
		sleep 0.5
	done
	echo "started an engine of our own, its data is in $cache/engine"
}

if ! command -v docker >/dev/null; then
	can_install || not_run "docker not found; install Docker first"
	install docker.io iptables || not_run "docker.io cannot be installed"
fi
trap stop_all EXIT
trap 'exit 130' INT TERM
docker info >/dev/null 2>&1 || start_engine

# Compose, with `required: false` of depends_on.
version=v2.40.3
recent() { "$@" version --short 2>/dev/null | sed 's/^v//' | awk -F. '{ ok = $1 > 2 || $1 == 2 && $2 >= 20 } END { exit !ok }'; }
if recent docker compose; then
	FLOX_COMPOSE_COMMAND="docker compose"
else
	FLOX_COMPOSE_COMMAND="$cache/docker-compose-$version"
	if [ ! -x "$FLOX_COMPOSE_COMMAND" ]; then
		echo "building Docker Compose $version from its Go module; that takes some minutes, once"
		source=$(cd / && GOFLAGS=-mod=mod go mod download -json "github.com/docker/compose/v2@$version" | sed -n 's/^\t"Dir": "\(.*\)",*$/\1/p')
		[ -n "$source" ] || not_run "Docker Compose is not installed, and its module cannot be downloaded"
		(cd "$source" && CGO_ENABLED=0 go build -trimpath -o "$FLOX_COMPOSE_COMMAND.part" \
			-ldflags "-X github.com/docker/compose/v2/internal.Version=$version" ./cmd) ||
			not_run "Docker Compose is not installed, and cannot be built"
		mv "$FLOX_COMPOSE_COMMAND.part" "$FLOX_COMPOSE_COMMAND"
	fi
fi
export FLOX_COMPOSE_COMMAND

if can_install; then
	command -v busybox >/dev/null || install busybox-static || true
	"$here/../../scripts/ensure-redis.sh" || true
fi
"$here/standins.sh" make || not_run "base images can neither be pulled nor be stood in for"

cd "$here/../.."
go test -tags compose -count=1 -timeout 20m -v ./integration/compose "$@"
