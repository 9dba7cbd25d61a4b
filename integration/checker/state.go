package checker

import (
	"fmt"
	"strings"

	"github.com/vmihailenco/msgpack/v5"
)

// The first byte of a part of the state log says how it is encoded.
const (
	codecMsgpack = 0
	codecScoped  = 3 // msgpack that holds parts of nested workflows with a state of their own
)

// mergedItems are the ids in the lists "items" of a delta or snapshot, those of
// nested workflows too. It reads one value after the other, because the decoder
// would believe any length that a spoilt value claims to have.
func mergedItems(part string) ([]string, error) {
	if part == "" { // a snapshot of nothing
		return nil, nil
	}
	d := msgpack.NewDecoder(strings.NewReader(part[1:]))
	var items []string
	switch part[0] {
	case codecMsgpack:
		err := fields(d, func(name string) (bool, error) {
			if name != "items" {
				return false, nil
			}
			n, err := d.DecodeArrayLen()
			for ; n > 0 && err == nil; n-- {
				var item string
				item, err = d.DecodeString()
				items = append(items, item)
			}
			return true, err
		})
		return items, err
	case codecScoped:
		inner := func() error {
			b, err := d.DecodeBytes()
			if err != nil {
				return err
			}
			more, err := mergedItems(string(b))
			items = append(items, more...)
			return err
		}
		err := fields(d, func(name string) (bool, error) {
			switch name {
			case "delta", "own":
				return true, inner()
			case "scopes":
				return true, fields(d, func(string) (bool, error) { return true, inner() })
			}
			return false, nil
		})
		return items, err
	}
	return nil, fmt.Errorf("codec %d", part[0])
}

// fields reads a map; what f does not take is skipped.
func fields(d *msgpack.Decoder, f func(name string) (bool, error)) error {
	n, err := d.DecodeMapLen()
	for ; n > 0 && err == nil; n-- {
		var name string
		if name, err = d.DecodeString(); err != nil {
			return err
		}
		var taken bool
		if taken, err = f(name); err == nil && !taken {
			err = d.Skip()
		}
	}
	return err
}
