package flox

import (
	"fmt"
	"reflect"
)

// records are the codecs of what flox itself stores: no sum types.
var records = newCodecs(nil)

// EncodeRecord encodes v for a store's own records: msgpack, structs as maps
// keyed by their json names, zero fields left out. It panics if v is of a type
// that cannot be stored.
func EncodeRecord(v any) []byte {
	c, err := records.of(reflect.TypeOf(v))
	var b []byte
	if err == nil {
		b, err = c.write(nil, addressable(reflect.ValueOf(v)))
	}
	if err != nil {
		panic(fmt.Sprintf("flox: encode record %T: %v", v, err))
	}
	return b
}

// DecodeRecord decodes what EncodeRecord made into v, a pointer. The bytes are
// checked before they are decoded, so that no input makes it allocate more than
// the input's size warrants. Fields that v does not have are skipped.
func DecodeRecord(b []byte, v any) error {
	p := reflect.ValueOf(v)
	c, err := records.of(p.Type().Elem())
	if err == nil {
		_, err = c.read(b, p.Elem())
	}
	if err != nil {
		return fmt.Errorf("decode record %T: %w", v, err)
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
