package redisstore

import (
	"crypto/sha1"
	"embed"
	"encoding/hex"
	"fmt"
	"path"
	"regexp"
	"strconv"
	"strings"
)

//go:embed lua/*.lua lua/lib/*.lua
var luaFiles embed.FS

// script is one Lua script with what it shares put in front of it.
type script struct {
	name string
	// keys and args are how many KEYS and ARGV its header names; more says that
	// the last may be repeated or left out.
	keys, args         int
	moreKeys, moreArgs bool
	source, sha        string
	// plain is for miniredis, which cannot read the first line.
	plain, plainSHA string
}

var (
	shebangLine = regexp.MustCompile(`\A#!lua[^\n]*\n`)
	usesLine    = regexp.MustCompile(`(?m)^-- uses: (.*)$`)
	headerLine  = regexp.MustCompile(`(?m)^-- (KEYS|ARGV)\[(\d+)(\.\.\.)?\] `)
)

// Every script.
var (
	scriptStart    = mustLoad("start")
	scriptStarts   = mustLoad("starts")
	scriptStep     = mustLoad("step")
	scriptLoad     = mustLoad("load")
	scriptNext     = mustLoad("next")
	scriptLater    = mustLoad("later")
	scriptAwait    = mustLoad("await")
	scriptEnd      = mustLoad("end")
	scriptClose    = mustLoad("close")
	scriptFan      = mustLoad("fan")
	scriptRelease  = mustLoad("release")
	scriptRetry    = mustLoad("retry")
	scriptFail     = mustLoad("fail")
	scriptHandback = mustLoad("handback")
	scriptRenew    = mustLoad("renew")
	scriptPending  = mustLoad("pending")
	scriptReclaim  = mustLoad("reclaim")
	scriptUnclaim  = mustLoad("unclaim")
	scriptDue      = mustLoad("due")
	scriptPromote  = mustLoad("promote")
	scriptDeadline = mustLoad("deadline")
	scriptControl  = mustLoad("control")
	scriptRestart  = mustLoad("restart")
	scriptSignal   = mustLoad("signal")
	scriptSettle   = mustLoad("settle")
	scriptDelete   = mustLoad("delete")
	scriptRebuild  = mustLoad("rebuild")
	scriptState    = mustLoad("state")
	scriptCompact  = mustLoad("compact")
	scriptErrors   = mustLoad("errors")
	scriptQueue    = mustLoad("queue")
	scriptBeat     = mustLoad("beat")
	scriptAlive    = mustLoad("alive")
	scriptLeave    = mustLoad("leave")
	scriptConsumer = mustLoad("consumer")
	scriptRegister = mustLoad("register")
	scriptMark     = mustLoad("mark")
	scriptRights   = mustLoad("rights")
	// Of the doctor.
	scriptInspect  = mustLoad("inspect")
	scriptRecount  = mustLoad("recount")
	scriptWaits    = mustLoad("waits")
	scriptLost     = mustLoad("lost")
	scriptStray    = mustLoad("stray")
	scriptLeases   = mustLoad("leases")
	scriptRestamp  = mustLoad("restamp")
	scriptMember   = mustLoad("member")
	scriptTimer    = mustLoad("timer")
	scriptLeftover = mustLoad("leftover")
	scriptTally    = mustLoad("tally")
	scriptAhead    = mustLoad("ahead")
)

// mustLoad reads an embedded script; it panics if the file is malformed, which
// the first test to run would show.
func mustLoad(name string) *script {
	raw := mustRead(path.Join("lua", name+".lua"))
	shebang := shebangLine.FindString(raw)
	if shebang == "" {
		panic(fmt.Sprintf("redisstore: %s.lua does not begin with #!lua", name))
	}
	s := &script{name: name}
	for _, m := range headerLine.FindAllStringSubmatch(raw, -1) {
		s.declare(m[1], m[2], m[3] != "")
	}
	s.plain = libraries(raw) + strings.TrimPrefix(raw, shebang)
	s.source = shebang + s.plain
	s.sha, s.plainSHA = sha(s.source), sha(s.plain)
	return s
}

// declare takes one KEYS or ARGV line of the header, which come in order.
func (s *script) declare(kind, number string, more bool) {
	count, repeated := &s.keys, &s.moreKeys
	if kind == "ARGV" {
		count, repeated = &s.args, &s.moreArgs
	}
	n, _ := strconv.Atoi(number)
	if n != *count+1 || *repeated {
		panic(fmt.Sprintf("redisstore: header of %s.lua: %s[%s] is out of order", s.name, kind, number))
	}
	*repeated = more
	if !more {
		*count = n
	}
}

// libraries returns the shared parts that a script names in its uses line.
func libraries(raw string) string {
	m := usesLine.FindStringSubmatch(raw)
	if m == nil {
		return ""
	}
	var b strings.Builder
	for _, name := range strings.Fields(m[1]) {
		b.WriteString(mustRead(path.Join("lua/lib", name+".lua")))
	}
	return b.String()
}

func mustRead(file string) string {
	raw, err := luaFiles.ReadFile(file)
	if err != nil {
		panic("redisstore: " + err.Error())
	}
	return tamper(file, string(raw))
}

func sha(source string) string {
	sum := sha1.Sum([]byte(source))
	return hex.EncodeToString(sum[:])
}

// check panics if a call does not fit the script's header: a bug of this package.
func (s *script) check(keys, args int) {
	if keys < s.keys || keys > s.keys && !s.moreKeys || args < s.args || args > s.args && !s.moreArgs {
		panic(fmt.Sprintf("redisstore: %s.lua called with %d keys and %d arguments, want %d and %d",
			s.name, keys, args, s.keys, s.args))
	}
}
