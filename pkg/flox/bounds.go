package flox

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// maxDepth is how deep a stored value may nest.
const maxDepth = 128

var (
	errTruncated = errors.New("msgpack: a value is longer than the bytes there are")
	errDepth     = fmt.Errorf("msgpack: nested deeper than %d", maxDepth)
	errTrailing  = errors.New("msgpack: bytes left after the value")
)

// checkMsgpack walks one msgpack value before anything is decoded. The decoder
// trusts the lengths it reads: five bytes can make it allocate until the
// process dies. The walk refuses lengths that the bytes present cannot hold,
// deep nesting, bytes after the value, and extensions other than timestamps.
// It allocates nothing.
func checkMsgpack(b []byte) error {
	rest, err := skipValue(b, 0)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return errTrailing
	}
	return nil
}

// skipValue returns what follows the value that b begins with.
func skipValue(b []byte, depth int) ([]byte, error) {
	if len(b) == 0 {
		return nil, errTruncated
	}
	if depth > maxDepth {
		return nil, errDepth
	}
	c, b := b[0], b[1:]
	switch {
	case c <= 0x7f, c >= 0xe0, c == 0xc0, c == 0xc2, c == 0xc3: // small integers, nil, booleans
		return b, nil
	case c <= 0x8f:
		return skipValues(b, 2*uint64(c&0x0f), depth)
	case c <= 0x9f:
		return skipValues(b, uint64(c&0x0f), depth)
	case c <= 0xbf:
		return skipBytes(b, uint64(c&0x1f))
	}
	return skipLong(c, b, depth)
}

// skipLong skips the body of a value whose first byte c does not hold its length.
func skipLong(c byte, b []byte, depth int) ([]byte, error) {
	switch c {
	case 0xc4, 0xc5, 0xc6: // bin 8, 16, 32
		return skipSized(b, 1<<(c-0xc4))
	case 0xd9, 0xda, 0xdb: // str 8, 16, 32
		return skipSized(b, 1<<(c-0xd9))
	case 0xca: // float 32
		return skipBytes(b, 4)
	case 0xcb: // float 64
		return skipBytes(b, 8)
	case 0xcc, 0xcd, 0xce, 0xcf: // uint 8 to 64
		return skipBytes(b, 1<<(c-0xcc))
	case 0xd0, 0xd1, 0xd2, 0xd3: // int 8 to 64
		return skipBytes(b, 1<<(c-0xd0))
	case 0xd6: // timestamp of 4 bytes
		return skipTime(b, 4)
	case 0xd7: // timestamp of 8 bytes
		return skipTime(b, 8)
	case 0xc7: // timestamp of 12 bytes
		if len(b) == 0 || b[0] != 12 {
			return nil, errors.New("msgpack: an extension that is no timestamp")
		}
		return skipTime(b[1:], 12)
	case 0xdc, 0xdd: // array 16, 32
		n, rest, err := readLen(b, 2<<(c-0xdc))
		if err != nil {
			return nil, err
		}
		return skipValues(rest, n, depth)
	case 0xde, 0xdf: // map 16, 32
		n, rest, err := readLen(b, 2<<(c-0xde))
		if err != nil {
			return nil, err
		}
		return skipValues(rest, 2*n, depth)
	}
	return nil, fmt.Errorf("msgpack: unexpected code %#x", c)
}

func skipValues(b []byte, n uint64, depth int) ([]byte, error) {
	if n > uint64(len(b)) { // each takes a byte at least
		return nil, errTruncated
	}
	var err error
	for range n {
		if b, err = skipValue(b, depth+1); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func skipSized(b []byte, width int) ([]byte, error) {
	n, rest, err := readLen(b, width)
	if err != nil {
		return nil, err
	}
	return skipBytes(rest, n)
}

func skipTime(b []byte, n uint64) ([]byte, error) {
	if len(b) == 0 {
		return nil, errTruncated
	}
	if b[0] != 0xff {
		return nil, errors.New("msgpack: an extension that is no timestamp")
	}
	return skipBytes(b[1:], n)
}

func skipBytes(b []byte, n uint64) ([]byte, error) {
	if n > uint64(len(b)) {
		return nil, errTruncated
	}
	return b[n:], nil
}

// readLen reads a length of 1, 2 or 4 bytes.
func readLen(b []byte, width int) (uint64, []byte, error) {
	if len(b) < width {
		return 0, nil, errTruncated
	}
	switch width {
	case 1:
		return uint64(b[0]), b[1:], nil
	case 2:
		return uint64(binary.BigEndian.Uint16(b)), b[2:], nil
	}
	return uint64(binary.BigEndian.Uint32(b)), b[4:], nil
}
