package redisstore

import (
	"strings"
	"testing"

	"github.com/floxrun/flox/pkg/flox"
)

// slotOf is CRC16-XMODEM of what is between the first braces, as Redis Cluster has it.
func slotOf(key string) int {
	if i := strings.Index(key, "{"); i >= 0 {
		if j := strings.Index(key[i:], "}"); j > 1 {
			key = key[i+1 : i+j]
		}
	}
	crc := uint16(0)
	for i := range len(key) {
		crc ^= uint16(key[i]) << 8
		for range 8 {
			if crc&0x8000 != 0 {
				crc = crc<<1 ^ 0x1021
			} else {
				crc <<= 1
			}
		}
	}
	return int(crc) % 16384
}

func TestKeysOfAPartitionShareASlot(t *testing.T) {
	if got := slotOf("123456789"); got != 12739 {
		t.Fatalf("slotOf(123456789) = %d, want 12739", got)
	}
	k := newKeyspace("ns", 64)
	_, p := k.of("run-1")
	want := slotOf(p.run("run-1"))
	keys := []string{p.queue("q"), p.state("r"), p.history("r"), p.errors("r"), p.events(), p.alerts()}
	for key := range p.types() {
		keys = append(keys, key)
	}
	for _, key := range keys {
		if got := slotOf(key); got != want {
			t.Errorf("slot of %s = %d, want %d", key, got, want)
		}
	}
	home := slotOf(k.config())
	for _, key := range []string{k.workflows(), k.workers(), k.worker("w}{1")} {
		if got := slotOf(key); got != home {
			t.Errorf("slot of %s = %d, want %d", key, got, home)
		}
	}
}

func TestKeysDoNotChange(t *testing.T) {
	k := newKeyspace("ns", 64)
	n, p := k.of("run-1")
	if want := flox.Partition("run-1", 64); n != want {
		t.Errorf("partition = %d, want %d", n, want)
	}
	for got, want := range map[string]string{
		k.config():                "flox:{ns}:config",
		k.parts[3].run("r"):       "flox:{ns:3}:run:r",
		k.parts[3].queue("q"):     "flox:{ns:3}:queue:q",
		k.parts[3].active():       "flox:{ns:3}:runs:active",
		k.parts[3].events():       "flox:{ns:3}:events",
		k.parts[3].alerts():       "flox:{ns:3}:alerts",
		p.queueName(p.queue("q")): "q",
	} {
		if got != want {
			t.Errorf("key = %s, want %s", got, want)
		}
	}
}
