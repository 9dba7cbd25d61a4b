package proxy

import "time"

// Faults is what a Proxy does to what passes through it. The zero Faults passes
// everything on. Shares are of the commands that Only picks, 0 to 1.
type Faults struct {
	LoseReply   float64 // the command runs; its reply, and the connection, are lost
	LoseRequest float64 // the command never arrives, and the connection is lost
	// Duplicate sends the command twice, one right behind the other; the client
	// gets the first answer or the second.
	Duplicate float64
	// Replay sends the command once more within ReplayWithin (default 100 ms), by
	// another connection; nobody gets that answer.
	Replay       float64
	ReplayWithin time.Duration
	// Only picks the commands for the above; nil is all.
	Only func(Command) bool

	Delay time.Duration // of every reply
	// Silent leaves connections open, those there are and those to come, but
	// nothing passes on them ever again.
	Silent bool
	Refuse bool // nobody listens; the connections that there are get reset
}

// Counts is what a Proxy has done since it was made.
type Counts struct {
	Accepted     int // connections
	Commands     int // that arrived at the proxy
	LostReplies  int
	LostRequests int
	Duplicates   int
	Replays      int
	Delayed      int // writes of replies
	Resets       int // connections
	Silenced     int // connections
	Refused      int // times
	Held         int // commands
	// PerSecond is the most connections accepted within a second.
	PerSecond int
	// Excess is the most by which those were more than the connections that were
	// lost with a command in that second: the client opened them by itself.
	Excess int
}

// Add returns the sum of both; PerSecond and Excess are the larger ones.
func (c Counts) Add(d Counts) Counts {
	return Counts{
		c.Accepted + d.Accepted, c.Commands + d.Commands, c.LostReplies + d.LostReplies, c.LostRequests + d.LostRequests,
		c.Duplicates + d.Duplicates, c.Replays + d.Replays, c.Delayed + d.Delayed, c.Resets + d.Resets, c.Silenced + d.Silenced,
		c.Refused + d.Refused, c.Held + d.Held, max(c.PerSecond, d.PerSecond), max(c.Excess, d.Excess),
	}
}
