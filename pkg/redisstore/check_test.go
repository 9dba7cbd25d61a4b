package redisstore

import (
	"cmp"
	"strings"
	"testing"
)

func TestCheckInfo(t *testing.T) {
	info := func(pairs ...string) map[string]string {
		m := map[string]string{"redis_version": "7.0.15", "maxmemory_policy": "noeviction", "cluster_enabled": "0"}
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i]] = pairs[i+1]
		}
		return m
	}
	tests := []struct {
		info    map[string]string
		cluster bool
		want    string // "" for none
	}{
		{info: info()},
		{info: info("redis_version", "8.0.2")},
		{info: info("redis_version", "7.2.4", "valkey_version", "8.1.1")},
		{info: info("cluster_enabled", "1"), cluster: true},
		{info: info("redis_version", "6.2.14"), want: "is Redis 6.2.14: flox needs"},
		{info: info("redis_version", "7.2.4", "valkey_version", "7.1.0"), want: "is Valkey 7.1.0: flox needs"},
		{info: info("maxmemory_policy", "allkeys-lru"), want: `"allkeys-lru"`},
		{info: info(), cluster: true, want: "not a cluster"},
		{info: info("cluster_enabled", "1"), want: "belongs to a cluster"},
	}
	for _, test := range tests {
		err := cmp.Or(checkKind("h:1", test.cluster, test.info), checkInfo("h:1", test.info))
		if test.want == "" {
			if err != nil {
				t.Errorf("checkInfo(%v) = %v, want nil", test.info, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "h:1") {
			t.Errorf("checkInfo(%v) = %v, want an error with %q and the address", test.info, err, test.want)
		}
	}
}
