package flox

import (
	"bytes"
	"fmt"

	"github.com/vmihailenco/msgpack/v5"
)

// EncodeRecord encodes v for a store's own records: msgpack, structs as maps
// keyed by their json names. It panics if v cannot be encoded, which depends on
// its type alone.
func EncodeRecord(v any) []byte {
	var buf bytes.Buffer
	enc := msgpack.NewEncoder(&buf)
	enc.SetCustomStructTag("json")
	enc.UseCompactInts(true)
	if err := enc.Encode(v); err != nil {
		panic(fmt.Sprintf("flox: encode %T: %v", v, err))
	}
	return buf.Bytes()
}

// DecodeRecord decodes what EncodeRecord made into v, a pointer. The bytes are
// checked before they are decoded, so that no input makes it allocate more than
// the input's size warrants.
func DecodeRecord(b []byte, v any) error {
	if err := checkMsgpack(b); err != nil {
		return fmt.Errorf("decode %T: %w", v, err)
	}
	dec := msgpack.NewDecoder(bytes.NewReader(b))
	dec.SetCustomStructTag("json")
	if err := dec.Decode(v); err != nil {
		return fmt.Errorf("decode %T: %w", v, err)
	}
	return nil
}

// EncodeBranches packs the branches of a large fan-out into blobs of
// ReleaseChunk each, the last with what is left.
func EncodeBranches(branches []Branch) [][]byte {
	var blobs [][]byte
	for len(branches) > 0 {
		n := min(len(branches), ReleaseChunk)
		blobs = append(blobs, EncodeRecord(branches[:n]))
		branches = branches[n:]
	}
	return blobs
}

// DecodeBranches unpacks one blob of EncodeBranches.
func DecodeBranches(blob []byte) ([]Branch, error) {
	var branches []Branch
	if err := DecodeRecord(blob, &branches); err != nil {
		return nil, err
	}
	return branches, nil
}
