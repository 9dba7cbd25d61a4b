package main

import (
	"bufio"
	"fmt"
	"net"
	"regexp"
)

// batch is how many items the bare driver has in a pipeline, or in one call, as flox
// has.
const batch = 64

// wire is one connection of the bare driver.
type wire struct {
	conn net.Conn
	in   *bufio.Reader
	out  []byte
}

func dialWire(addr string) (*wire, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return &wire{conn: conn, in: bufio.NewReaderSize(conn, 64<<10)}, nil
}

// claimed is a run and the entry that leads to it.
type claimed struct{ run, entry string }

// pipeline sends a call for each run, or one for all of them, and waits for all
// answers.
func (w *wire) pipeline(t template, runs []claimed) error {
	var sent int
	w.out, sent = t.fill(w.out[:0], runs)
	if _, err := w.conn.Write(w.out); err != nil {
		return err
	}
	for range sent {
		if err := skipReply(w.in); err != nil {
			return err
		}
	}
	return nil
}

var runInEntry = regexp.MustCompile(`bare-\d{8}`)

// claim sends XREADGROUP and returns the entries of its answer.
func (w *wire) claim(command []byte) ([]claimed, error) {
	if _, err := w.conn.Write(command); err != nil {
		return nil, err
	}
	reply, err := readReply(w.in)
	if err != nil {
		return nil, fmt.Errorf("claim: %w", err)
	}
	return entries(reply)
}

// entries reads the answer of XREADGROUP: streams, of which each has entries, of which
// each has an id and fields. One of the fields says which run it is of.
func entries(reply any) ([]claimed, error) {
	var all []claimed
	streams, _ := reply.([]any)
	for _, stream := range streams {
		pair, _ := stream.([]any)
		if len(pair) != 2 {
			return nil, fmt.Errorf("claim: stream %v", stream)
		}
		list, _ := pair[1].([]any)
		for _, e := range list {
			entry, _ := e.([]any)
			if len(entry) != 2 {
				return nil, fmt.Errorf("claim: entry %v", e)
			}
			id, _ := entry[0].(string)
			fields, _ := entry[1].([]any)
			run := ""
			for _, f := range fields {
				if s, _ := f.(string); run == "" {
					run = runInEntry.FindString(s)
				}
			}
			if run == "" || id == "" {
				return nil, fmt.Errorf("claim: entry %v is of no run", entry)
			}
			all = append(all, claimed{run, id})
		}
	}
	return all, nil
}
