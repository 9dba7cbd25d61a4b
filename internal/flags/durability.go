package flags

import (
	"github.com/spf13/pflag"

	"github.com/floxrun/flox/pkg/redisstore"
)

// Durability are the flags that say when a change counts as done.
type Durability struct {
	fs       *pflag.FlagSet
	mode     *Choice
	replicas int
}

// DurabilityVars adds --durability and --replicas.
func DurabilityVars(fs *pflag.FlagSet) *Durability {
	d := &Durability{fs: fs, mode: NewChoice("async", "wait")}
	fs.Var(d.mode, "durability", "when a change counts as done: async when the master has it, wait when replicas have it, too")
	fs.IntVar(&d.replicas, "replicas", 1, "how many `replicas` must have it, with --durability=wait")
	return d
}

// Check looks whether the flags fit together; its error is an ErrUsage.
func (d *Durability) Check() error {
	switch {
	case d.replicas < 1, d.replicas > redisstore.MaxReplicas:
		return Usagef("--replicas=%d: want 1 to %d", d.replicas, redisstore.MaxReplicas)
	case d.mode.Value == "async" && d.fs.Changed("replicas"):
		return Usagef("--replicas=%d: want --durability=wait with it", d.replicas)
	}
	return nil
}

// Mode is async or wait.
func (d *Durability) Mode() string { return d.mode.Value }

// Replicas is how many replicas to wait for, 0 if none.
func (d *Durability) Replicas() int {
	if d.mode.Value == "async" {
		return 0
	}
	return d.replicas
}
