#!/bin/sh
# Makes sure that there is a promtool, in PATH or in the user's cache: tests judge
# the alerts with it. Debian's package would start a server, so it is unpacked, not
# installed.
set -eu
if command -v promtool >/dev/null 2>&1; then
	exit 0
fi
cache=${XDG_CACHE_HOME:-$HOME/.cache}/flox
if [ -x "$cache/promtool" ]; then
	exit 0
fi
if ! command -v apt-get >/dev/null 2>&1 || ! command -v dpkg-deb >/dev/null 2>&1; then
	echo "error: promtool not found; install it first, for example: brew install prometheus" >&2
	exit 1
fi
echo "fetching promtool with apt-get" >&2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
if [ "$(id -u)" = 0 ]; then
	apt-get update -qq >&2
fi
if ! (cd "$dir" && apt-get download -qq -o APT::Sandbox::User=root prometheus >&2); then
	echo "error: promtool not found and not fetched; install it first, for example: sudo apt-get install prometheus" >&2
	exit 1
fi
mkdir -p "$cache"
dpkg-deb --fsys-tarfile "$dir"/prometheus_*.deb | tar -xf - -C "$dir" ./usr/bin/promtool
mv "$dir/usr/bin/promtool" "$cache/promtool"
