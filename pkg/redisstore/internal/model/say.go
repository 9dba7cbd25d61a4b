package model

import (
	"fmt"
	"strings"
)

var scriptNames = [allSteps]string{"start", "load", "next", "later", "await", "end", "close", "fan", "release", "retry",
	"fail", "handback", "renew", "reclaim", "unclaim", "promote", "deadline", "control", "restart", "signal", "settle",
	"delete", "rebuild", "state", "compact", "", "claim", "fault", "janitor"}

func (s script) String() string { return scriptNames[s] }

var opNames = [...]string{undecided: "", commits: "", emits: "sees all, emits", falls: "to the fallback", retries: "",
	ruins: "", gives: "gives it back", passes: "knows no such node", releases: "",
	stalls: "is held up", arrives: "comes late"}

var happened = [faults]string{crash: "its worker dies", save: "the server saves its data",
	cut: "the server comes back with what it saved", regroup: "the group is made anew", drain: "streams and timers are lost",
	stray: "an entry is added twice", sweep: "a dead worker's consumer is deleted"}

// say tells a step in one line.
func (m *Model) say(s *State, step Step) string {
	var b strings.Builder
	who := func(uid int8) string {
		x := s.session(uid)
		if x == nil {
			return ""
		}
		if x.phase == claimed {
			return fmt.Sprintf("who claimed %s", x.tok)
		}
		if t := s.db.token(x.tok); t != nil && t.holder == uid {
			return fmt.Sprintf("the holder of %s", itemOf(x.tok, x.step))
		}
		return fmt.Sprintf("a former holder of %s", itemOf(x.tok, x.step))
	}
	switch {
	case step.does == happens && step.uid != 0:
		fmt.Fprintf(&b, "FAULT %s: %s", happened[step.n], who(step.uid))
	case step.does == happens:
		fmt.Fprintf(&b, "FAULT %s", happened[step.n])
	case step.does == scriptControl:
		fmt.Fprintf(&b, "control %s", controlNames[step.n])
	case step.does == scriptSignal:
		fmt.Fprintf(&b, "signal %d", step.n)
	case step.does == scriptDelete && step.tok == "":
		b.WriteString("delete")
	case step.does == recalls:
		b.WriteString([]string{"a janitor looks at the run", "the janitor, from memory, takes the mark away"}[step.n])
	case step.uid != 0 && step.does != scriptReclaim:
		fmt.Fprintf(&b, "%s by %s", step.does, who(step.uid))
		if name := opNames[step.op]; name != "" {
			fmt.Fprintf(&b, " (%s)", name)
		}
	default:
		fmt.Fprintf(&b, "%s %s", step.does, step.tok)
		if step.does == scriptReclaim && !step.fair {
			b.WriteString(", the holder is alive")
		}
	}
	if step.does == scriptControl || step.does == scriptSignal || step.does == scriptDelete {
		switch step.op {
		case commits:
			b.WriteString(", sent again")
		case stalls, arrives:
			b.WriteString(", which " + opNames[step.op])
		}
	}
	if step.lost {
		b.WriteString("; the reply is lost")
	}
	return b.String()
}

// describe tells a state in a few words.
func (m *Model) describe(s *State) string {
	d := s.db
	if !d.exists {
		return "no run"
	}
	parts := []string{d.status.String(), fmt.Sprintf("live %d parked %d", d.live, d.parked)}
	for i := range d.toks {
		t := &d.toks[i]
		parts = append(parts, fmt.Sprintf("%s at %s in %c", t.item(), m.graph.Nodes[t.node].Name, t.loc))
	}
	parts = append(parts, fmt.Sprintf("%d entries, %d timers", len(d.entries), len(d.timers)))
	if d.todo {
		parts = append(parts, "marked")
	}
	for i := range d.frames {
		parts = append(parts, fmt.Sprintf("frame %s waits for %d", d.frames[i].id, d.frames[i].live))
	}
	return strings.Join(parts, "; ")
}
