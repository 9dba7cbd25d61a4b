#!/bin/sh
# Runs govulncheck ($1) and fails on what it finds. Where its database cannot be
# reached it says so and goes on.
set -u
out=$(go run "$1" ./... 2>&1)
code=$?
echo "$out"
if [ $code -ne 0 ] && echo "$out" | grep -q '^govulncheck: fetching vulnerabilities'; then
	echo "the vulnerability database cannot be reached from here: NOT CHECKED"
	exit 0
fi
exit $code
