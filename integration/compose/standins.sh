#!/bin/sh
# Images for tests on a machine that reaches no registry: made of the programs of
# this machine, under the very names that Dockerfile and docker-compose.yml use.
#   standins.sh make      makes those that are not there and cannot be pulled
#   standins.sh remove    removes those that it made
# They have the label flox.standin. There is none for Grafana: what needs it is left out.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
label=flox.standin
# What the stand-in for golang is made of: another one is made when it has changed.
made_of=$(cat "$root/go.mod" "$root/go.sum" | cksum | cut -d' ' -f1)

# The names are written once, in the files that are tested.
arg() { sed -n "s/^ARG $1=//p" "$root/Dockerfile"; }
image() { sed -n "s|^ *image: *\($1:.*\)|\1|p" "$root/deploy/docker-compose.yml"; }

if [ "${1-}" = remove ]; then
	for name in "$(arg GO_IMAGE)" "$(arg BASE_IMAGE)" "$(image redis)" "$(image prom/prometheus)"; do
		has=$(docker image inspect --format "{{index .Config.Labels \"$label\"}}" "$name" 2>/dev/null) || continue
		case $has in "" | "<no value>") ;; *) docker image rm -f "$name" >/dev/null ;; esac
	done
	exit 0
fi
[ "${1-}" = make ] || { echo "usage: $0 make|remove" >&2; exit 2; }

work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT

# put DIR FILE...: copies programs and the libraries that they are linked with.
put() {
	dir=$1; shift
	for file; do
		for f in "$file" $(ldd "$file" 2>/dev/null | grep -o '/[^ ]*' || true); do
			mkdir -p "$dir$(dirname "$f")"
			cp -L "$f" "$dir$f"
		done
	done
}

# tools DIR: a shell and the programs that scripts use.
tools() {
	put "$1" "$busybox"
	mkdir -p "$1/bin"
	for t in sh awk cat chmod chown cp cut date dirname echo env false find grep head hostname id kill ls mkdir \
		mktemp mv ps rm sed sleep sort stat tail touch tr true uname wc; do
		ln -sf "$busybox" "$1/bin/$t"
	done
}

# people DIR NAME ID: the users of an image.
people() {
	mkdir -p "$1/etc" "$1/tmp" "$1/root"
	chmod 1777 "$1/tmp"
	printf 'root:x:0:0:root:/root:/bin/sh\n%s:x:%s:%s::/:/sbin/nologin\n' "$2" "$3" "$3" >"$1/etc/passwd"
	printf 'root:x:0:\n%s:x:%s:\n' "$2" "$3" >"$1/etc/group"
	echo 'hosts: files dns' >"$1/etc/nsswitch.conf"
}

make_golang() {
	tools "$1"
	people "$1" nobody 65534
	mkdir -p "$1/usr/local" "$1/go"
	cp -a "$(go env GOROOT)" "$1/usr/local/go"
	rm -rf "$1/usr/local/go/test" "$1/usr/local/go/doc" "$1/usr/local/go/api"
	# The modules that the build needs, as a proxy that is a folder.
	proxy=file://$(go env GOMODCACHE)/cache/download,$(go env GOPROXY)
	(cd "$root" && GOMODCACHE="$work/mod" GOFLAGS=-modcacherw GONOSUMDB='*' GOPROXY=$proxy go mod download)
	mv "$work/mod/cache/download" "$1/proxy"
	rm -rf "$1/proxy/sumdb"
}

make_distroless() {
	people "$1" nonroot 65532
	mkdir -p "$1/home/nonroot" "$1/etc/ssl/certs" "$1/usr/share"
	chown 65532:65532 "$1/home/nonroot" 2>/dev/null || true
	cp -L /etc/ssl/certs/ca-certificates.crt "$1/etc/ssl/certs/"
	[ ! -d /usr/share/zoneinfo ] || cp -a /usr/share/zoneinfo "$1/usr/share/"
}

make_redis() {
	tools "$1"
	people "$1" redis 999
	put "$1" "$(command -v redis-server)" "$(command -v redis-cli)" /usr/bin/setpriv /usr/bin/getent
	mkdir -p "$1/data" "$1/usr/local/bin"
	chown 999:999 "$1/data"
	cat >"$1/usr/local/bin/docker-entrypoint.sh" <<'EOF'
#!/bin/sh
set -e
case ${1-} in -* | *.conf) set -- redis-server "$@" ;; esac
if [ "${1-}" = redis-server ] && [ "$(id -u)" = 0 ]; then
	chown -R redis .
	exec setpriv --reuid=999 --regid=999 --clear-groups -- "$0" "$@"
fi
exec "$@"
EOF
	chmod +x "$1/usr/local/bin/docker-entrypoint.sh"
}

make_prometheus() {
	tools "$1"
	people "$1" nobody 65534
	mkdir -p "$1/bin" "$1/prometheus" "$1/etc/prometheus"
	put "$1" "$(command -v prometheus)" "$(command -v promtool)"
	ln -s "$(command -v prometheus)" "$1/bin/prometheus"
	ln -s "$(command -v promtool)" "$1/bin/promtool"
	chown 65534:65534 "$1/prometheus"
}

# stand NAME HOW CHANGE...: an image of that name, unless there is one.
stand() {
	name=$1 how=$2
	shift 2
	[ -n "$name" ] || { echo "error: no image for $how is named in the files" >&2; exit 1; }
	if has=$(docker image inspect --format "{{index .Config.Labels \"$label\"}}" "$name" 2>/dev/null); then
		case $has in "$made_of" | "" | "<no value>") return 0 ;; esac
		docker image rm -f "$name" >/dev/null
	fi
	if timeout "${FLOX_PULL_TIMEOUT:-60}" docker pull -q "$name" >/dev/null 2>&1; then
		echo "pulled $name"
		return 0
	fi
	mkdir "$work/$how"
	"make_$how" "$work/$how"
	changes=
	for change; do changes="$changes --change \"$change\""; done
	tar -C "$work/$how" -c . | eval "docker import --change 'LABEL $label=$made_of' $changes - \"$name\"" >/dev/null
	rm -rf "${work:?}/$how"
	echo "stand-in for $name"
}

busybox=$(command -v busybox) || { echo "error: busybox not found; install busybox-static" >&2; exit 1; }
path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
stand "$(arg GO_IMAGE)" golang "ENV PATH=/go/bin:/usr/local/go/bin:$path" "ENV GOPATH=/go" \
	"ENV GOTOOLCHAIN=local" "ENV GOPROXY=file:///proxy" "ENV GONOSUMDB=*" "WORKDIR /go"
stand "$(arg BASE_IMAGE)" distroless "ENV PATH=$path" "ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt" \
	"USER 65532" "WORKDIR /home/nonroot"
stand "$(image redis)" redis "ENV PATH=$path" "VOLUME /data" "WORKDIR /data" "EXPOSE 6379" \
	'ENTRYPOINT [\"docker-entrypoint.sh\"]' 'CMD [\"redis-server\"]'
if command -v prometheus >/dev/null && command -v promtool >/dev/null; then
	stand "$(image prom/prometheus)" prometheus "ENV PATH=$path" "USER nobody" "VOLUME /prometheus" "WORKDIR /prometheus" \
		"EXPOSE 9090" 'ENTRYPOINT [\"/bin/prometheus\"]' \
		'CMD [\"--config.file=/etc/prometheus/prometheus.yml\", \"--storage.tsdb.path=/prometheus\"]'
fi
