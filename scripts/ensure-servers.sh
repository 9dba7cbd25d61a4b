#!/bin/sh
# Makes sure that the servers that some tests run on beside redis-server of PATH are
# in the user's cache: redis8 and valkey8. They are taken from Debian's packages, from the mirror this machine uses, and unpacked, not
# installed: nothing of the system changes. Prints a line for each: its name, then
# where it is, or NOT AVAILABLE and why. Never fails because one is not there.
set -u
cache=${XDG_CACHE_HOME:-$HOME/.cache}/flox-servers
suite=trixie
names="redis8 valkey8"

report() {
	for name in $names; do
		if [ -e "$cache/$name" ]; then
			echo "$name $cache/$name"
		else
			echo "$name NOT AVAILABLE: $1"
		fi
	done
}

missing() {
	for name in $names; do
		[ -e "$cache/$name" ] || return 0
	done
	return 1
}

if ! missing; then
	report
	exit 0
fi
for tool in apt-get apt-cache dpkg-deb dpkg; do
	if ! command -v $tool >/dev/null 2>&1; then
		report "there is no $tool to fetch Debian's packages with"
		exit 0
	fi
done

# The mirror and its key are those of the machine's own Debian.
mirror=$(apt-get indextargets --format '$(REPO_URI) $(ORIGIN)' 2>/dev/null | sed -n 's/ Debian$//p' | grep -v security | head -n 1)
if [ -z "$mirror" ]; then
	report "this machine uses no mirror of Debian"
	exit 0
fi
mkdir -p "$cache"
work=$(mktemp -d "$cache/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/archives/partial" "$work/none" "$work/debs"
: >"$work/status"
echo "deb $mirror $suite main" >"$work/sources.list"
apt="-o Dir::Etc::SourceList=$work/sources.list -o Dir::Etc::SourceParts=$work/none
	-o Dir::State::Lists=$work/lists -o Dir::State::Status=$work/status -o Dir::Cache=$work
	-o Dir::Cache::Archives=$work/archives -o APT::Sandbox::User=root -o Acquire::Languages=none"
echo "fetching servers of Debian $suite with apt-get" >&2
# shellcheck disable=SC2086
if ! apt-get $apt update -qq >&2; then
	report "the packages of Debian $suite cannot be fetched from $mirror"
	exit 0
fi

# unpack PACKAGE...: into $work/root-<first>, with all that they need to run.
unpack() {
	root=$work/root-$1
	mkdir -p "$root" "$work/debs/$1"
	# The names of the virtual packages are in angle brackets.
	# shellcheck disable=SC2086
	list=$(apt-cache $apt depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks \
		--no-replaces --no-enhances "$@" | sed -n 's/^\([a-z0-9][a-z0-9.+-]*\)$/\1/p' |
		grep -E '^(redis|valkey|lib)' | sort -u)
	# shellcheck disable=SC2086
	(cd "$work/debs/$1" && apt-get $apt download -qq $list >&2) || return 1
	for deb in "$work/debs/$1"/*.deb; do
		dpkg-deb -x "$deb" "$root" || return 1
	done
}

# server NAME BINARY PACKAGE...: a program in the cache that runs the server with
# the loader and the libraries it was built for.
server() {
	name=$1 binary=$2
	shift 2
	[ -e "$cache/$name" ] && return
	unpack "$@" || return
	loader=$(find "$root" -name 'ld-linux*.so*' | head -n 1)
	libs=$(find "$root" -name '*.so*' -exec dirname {} + | sort -u | sed "s|^$root|$cache/$name.root|" | paste -sd : -)
	[ -n "$loader" ] && [ -x "$root/usr/bin/$binary" ] || return
	rm -rf "$cache/$name.root"
	mv "$root" "$cache/$name.root"
	printf '#!/bin/sh\nexec "%s" --library-path "%s" "%s" "$@"\n' \
		"$cache/$name.root${loader#"$root"}" "$libs" "$cache/$name.root/usr/bin/$binary" >"$work/$name"
	chmod +x "$work/$name"
	if "$work/$name" --version >&2; then
		mv "$work/$name" "$cache/$name"
	fi
}

server redis8 redis-server redis-server redis-tools
server valkey8 valkey-server valkey-server valkey-tools

report "its package of Debian was not fetched, or does not run here"
