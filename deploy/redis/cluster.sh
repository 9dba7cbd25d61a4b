#!/bin/sh
# Makes a cluster of the masters named as arguments, or lets one that was restarted
# find itself again: addresses change, names do not. It can be repeated at will.
# The password is in REDISCLI_AUTH.
set -eu
ask() { host=$1; shift; redis-cli -h "$host" "$@" 2>&1; }

for host; do
	until ask "$host" ping | grep -q PONG; do sleep 0.2; done
done

i=0
for host; do
	first=$((i * 16384 / $#)) i=$((i + 1))
	last=$((i * 16384 / $# - 1))
	# What has been done is refused, and that is fine: the end is what counts.
	ask "$host" cluster set-config-epoch "$i" >/dev/null || true
	ask "$host" cluster addslotsrange "$first" "$last" >/dev/null || true
	ask "$1" cluster meet "$(getent hosts "$host" | awk '{print $1}')" 6379 >/dev/null
done

tries=0
for host; do
	until ask "$host" cluster info | grep -q '^cluster_state:ok'; do
		tries=$((tries + 1))
		if [ $tries -gt 150 ]; then
			echo "error: the cluster has not formed:" >&2
			ask "$host" cluster nodes >&2
			exit 1
		fi
		sleep 0.2
	done
done
echo "the cluster of $# masters is up"
