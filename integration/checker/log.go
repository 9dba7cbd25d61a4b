package checker

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"
)

// Events of an [Execution].
const (
	Start = "start" // the node begins
	End   = "end"   // the node has returned, or was told to stop; one that is killed says nothing
)

// Execution is one line of the execution log, which test nodes write: one when
// they begin, one when they end.
type Execution struct {
	At     time.Time `json:"at"`
	Event  string    `json:"event"` // Start or End
	Worker string    `json:"worker"`
	Run    string    `json:"run"`
	Item   string    `json:"item"` // token and step
	Node   string    `json:"node"`
	// Attempt counts from 1.
	Attempt int `json:"attempt"`
	// Inputs are, of a join, the items that its branches came from, in the order in
	// which it was given them. Other items have none.
	Inputs []string `json:"inputs,omitempty"`
	// Err is, of an End, what the node returned, if it was an error.
	Err string `json:"err,omitempty"`
}

// Line is what the log holds of an execution, with its newline. Written by one
// write to a file that was opened with O_APPEND, lines of several processes do
// not mix.
func (e Execution) Line() []byte {
	b, err := json.Marshal(e)
	if err != nil { // no field can make it fail
		panic(err)
	}
	return append(b, '\n')
}

// ReadLog reads an execution log. A log that is not there is empty. A last line
// without an end was cut off when its process died, and is left out.
func ReadLog(path string) ([]Execution, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("execution log: %w", err)
	}
	defer f.Close()
	var log []Execution
	for lines := bufio.NewReader(f); ; {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return log, nil
		}
		var e Execution
		if err == nil {
			err = json.Unmarshal(line, &e)
		}
		if err != nil {
			return nil, fmt.Errorf("execution log: line %d: %w", len(log)+1, err)
		}
		log = append(log, e)
	}
}
