#!/bin/sh
# Makes sure that a redis-server of version 7.0 or newer is in PATH: the tests
# start their own, on free loopback ports.
set -eu
if ! command -v redis-server >/dev/null 2>&1; then
	if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
		echo "installing redis-server with apt-get" >&2
		export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
		{ apt-get update -qq && apt-get install -y -qq --no-install-recommends redis-server; } >&2
	else
		echo "error: redis-server not found; install it first, for example: sudo apt-get install redis-server" >&2
		exit 1
	fi
fi
version=$(redis-server --version | sed -n 's/.* v=\([0-9]*\)\..*/\1/p')
if [ "${version:-0}" -lt 7 ]; then
	echo "error: redis-server is version ${version:-unknown}; want 7.0 or newer" >&2
	exit 1
fi
