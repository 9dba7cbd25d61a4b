#!/bin/sh
# Fuzzes every fuzz target of the module, one after the other, each for as long as
# FUZZTIME says (60s). What a target fails with is kept in its package's testdata and
# is a test from then on. FUZZ chooses targets by a pattern; FUZZCORPUS is a directory
# for the inputs that were found to lead somewhere new, which are begun with the next
# time (a part of Go's cache).
set -eu
time=${FUZZTIME:-60s}
targets=$(for pkg in $(git grep --untracked -l '^func Fuzz' -- '*_test.go' | xargs -n1 dirname | sort -u); do
	sed -n "s|^func \(Fuzz[A-Za-z0-9_]*\)(.*|./$pkg \1|p" "$pkg"/*_test.go
done | grep -E "${FUZZ:-.}")
failed=0
# Built once, for all targets of a package; the corpus that was found is kept.
cache=${FUZZCORPUS:-$(go env GOCACHE)/fuzz}
built=$(mktemp -d)
trap 'rm -rf "$built"' EXIT
for pkg in $(echo "$targets" | cut -d' ' -f1 | uniq); do
	bin=$built/$(echo "$pkg" | tr -c 'a-zA-Z0-9\n' _)
	go test -fuzz . -c -o "$bin" "$pkg" # with the coverage that fuzzing goes by
	for target in $(echo "$targets" | sed -n "s|^$pkg ||p"); do
		corpus=$cache/$(go list "$pkg")
		mkdir -p "$corpus"
		if ! said=$(cd "$pkg" && "$bin" -test.run '^$' -test.fuzz "^$target\$" -test.fuzztime "$time" -test.fuzzcachedir "$corpus" \
			-test.fuzzminimizetime 5s 2>&1); then
			failed=1
			echo "$pkg $target FAILS:"
			echo "$said" | tail -n 60
			continue
		fi
		echo "$pkg $target: $(echo "$said" | sed -n 's/^fuzz: elapsed: .*\(execs: [0-9]*\).*/\1/p' | tail -n 1)"
	done
done
exit $failed
