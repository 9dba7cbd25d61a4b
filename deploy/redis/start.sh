#!/bin/sh
# Starts redis-server with what the environment says. It reaches the server on
# standard input: a password among the arguments is in every list of processes.
#   REDISCLI_AUTH      password
#   REDIS_MAXMEMORY    such as 512mb
#   REDIS_CLUSTER_NAME the name under which the others reach this one, of a cluster
set -eu
case ${REDISCLI_AUTH-} in
'') echo "error: FLOX_REDIS_PASSWORD is empty; want a password of letters and digits" >&2; exit 1 ;;
*[!A-Za-z0-9_.~-]*) echo "error: FLOX_REDIS_PASSWORD: want letters, digits, - _ . ~ only, as it is part of a URL" >&2; exit 1 ;;
esac
cluster=
if [ -n "${REDIS_CLUSTER_NAME-}" ]; then
	cluster="cluster-enabled yes
cluster-announce-hostname $REDIS_CLUSTER_NAME
cluster-preferred-endpoint-type hostname"
fi
exec redis-server "$(dirname "$0")/redis.conf" - <<EOF
requirepass $REDISCLI_AUTH
masterauth $REDISCLI_AUTH
maxmemory ${REDIS_MAXMEMORY:-512mb}
$cluster
EOF
