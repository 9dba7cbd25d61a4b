package flox

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// EncodeStep encodes s for a store's history: its fields but the time, which the
// store knows, with | between them. A run has one for each of its items, so they
// are small.
func EncodeStep(s *StepRecord) []byte {
	b := make([]byte, 0, 48+len(s.Item)+len(s.Node)+len(s.Worker)+len(s.Undoes))
	for _, text := range []string{s.Item, s.Node, s.Outcome} {
		b = append(append(b, text...), '|')
	}
	b = append(strconv.AppendInt(b, int64(s.Attempt), 10), '|')
	b = append(append(b, s.Worker...), '|')
	b = strconv.AppendInt(b, int64(s.Duration), 10)
	if s.Undoes != "" {
		b = append(append(b, '|'), s.Undoes...)
	}
	return b
}

// DecodeStep decodes what EncodeStep made, and what EncodeRecord did of a
// StepRecord, as earlier versions had it. Fields that it does not know are skipped.
func DecodeStep(b []byte) (s StepRecord, err error) {
	if len(b) > 0 && b[0]&0xf0 == 0x80 { // a small map of msgpack
		err = DecodeRecord(b, &s)
		return s, err
	}
	f := strings.Split(string(b), "|")
	if len(f) < 6 {
		return s, fmt.Errorf("decode step: %d fields, want 6", len(f))
	}
	attempt, err := strconv.Atoi(f[3])
	if err != nil {
		return s, fmt.Errorf("decode step: attempt: %w", err)
	}
	took, err := strconv.ParseInt(f[5], 10, 64)
	if err != nil {
		return s, fmt.Errorf("decode step: duration: %w", err)
	}
	s = StepRecord{Item: f[0], Node: f[1], Outcome: f[2], Attempt: attempt, Worker: f[4], Duration: time.Duration(took)}
	if len(f) > 6 {
		s.Undoes = f[6]
	}
	return s, nil
}
