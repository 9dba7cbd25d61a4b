package flox_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

type Review struct {
	Text string `json:"text"`
}

type Verdict struct {
	By string `json:"by"`
	OK bool   `json:"ok"`
}

// Approved is the signal that an approver sends. Both sides use this variable.
var Approved = flox.NewSignal[Verdict]("approved")

// A node asks for an approval and waits for it, for three days at most. No
// worker is busy meanwhile.
func ExampleAwait() {
	b := flox.New[flox.NoState]("publish")
	ask := flox.AddFunc(b, "ask", func(ctx *flox.Context[flox.NoState], r Review) (flox.Awaiting[Review, Verdict], error) {
		// … mail the approver a link with ctx.RunID() …
		return flox.Await(Approved, r, 72*time.Hour), nil
	}).Awaits(Approved)
	publish := flox.Func(b, "publish", func(_ context.Context, a flox.Answer[Review, Verdict]) (string, error) {
		return a.Payload.By + " approved: " + a.Carry.Text, nil
	})
	drop := flox.Func(b, "drop", func(_ context.Context, a flox.Answer[Review, Verdict]) (string, error) {
		return "dropped: " + a.Carry.Text, nil
	})
	ask.Route(
		flox.When(func(a flox.Answer[Review, Verdict]) bool { return a.Payload.OK }, publish),
		flox.Otherwise(drop)) // refused, or timed out
	wf, err := flox.Build(b, ask, publish, drop)
	if err != nil {
		fmt.Println(err)
		return
	}

	ctx, st := context.Background(), flox.NewMemory()
	orch, _ := flox.NewOrchestrator(st, wf, nil)
	id, _ := orch.Start(ctx, Review{"flox 1.0 is out"})
	// The approver's click. It may come before the node awaits it.
	if err := Approved.Send(ctx, orch, id, Verdict{By: "ann", OK: true}); err != nil {
		fmt.Println(err)
	}
	res, err := flox.Resume(ctx, st, id, wf)
	fmt.Println(res.Output, err)
	// Output: ann approved: flox 1.0 is out <nil>
}

// What was done is undone in reverse when a later step fails for good.
func ExampleRef_UndoWith() {
	b := flox.New[flox.NoState]("trip")
	book := func(what string) flox.Ref[string, string] {
		return flox.Func(b, what, func(_ context.Context, to string) (string, error) {
			fmt.Println("book", what)
			return to, nil
		}).UndoWith(flox.Func(b, "cancel-"+what, func(_ context.Context, d flox.Done[string, string]) (flox.None, error) {
			fmt.Println("cancel", what, "because of:", d.Cause.Message)
			return flox.None{}, nil
		}))
	}
	flight, hotel := book("flight"), book("hotel")
	car := flox.Func(b, "car", func(context.Context, string) (string, error) {
		return "", flox.Permanent(errors.New("no car left"))
	})
	flight.To(hotel)
	hotel.To(car)
	wf, err := flox.Build(b, flight, car)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = flox.Run(context.Background(), wf, "Lisbon")
	failed, _ := errors.AsType[*flox.RunError](err)
	fmt.Println(failed.Node, "failed, undone:", failed.Undone)
	// Output:
	// book flight
	// book hotel
	// cancel hotel because of: no car left
	// cancel flight because of: no car left
	// car failed, undone: [hotel flight]
}

// The join gets what was split as well as what came of its parts.
func ExampleJoinWith() {
	b := flox.New[flox.NoState]("letter")
	words := flox.Split(b, "words", strings.Fields)
	upper := flox.Func(b, "upper", func(_ context.Context, w string) (string, error) { return strings.ToUpper(w), nil })
	compare := flox.Func(b, "compare", func(_ context.Context, j flox.Joined[string, string]) (string, error) {
		return j.Input + " -> " + strings.Join(j.Outputs, " "), nil
	})
	words.To(upper)
	flox.JoinWith(words, upper, compare)
	wf, err := flox.Build(b, words, compare)
	if err != nil {
		fmt.Println(err)
		return
	}
	res, err := flox.Run(context.Background(), wf, "dear reader")
	fmt.Println(res.Output, err)
	// Output: dear reader -> DEAR READER <nil>
}

// Two branches of different types meet.
func ExampleJoin2() {
	b := flox.New[flox.NoState]("profile")
	id := flox.Func(b, "id", func(_ context.Context, id int) (int, error) { return id, nil })
	name := flox.Func(b, "name", func(_ context.Context, id int) (string, error) { return fmt.Sprint("user ", id), nil })
	age := flox.Func(b, "age", func(_ context.Context, id int) (int, error) { return 40 + id, nil })
	show := flox.Func(b, "show", func(_ context.Context, p flox.Pair[string, int]) (string, error) {
		return fmt.Sprintf("%s is %d", p.First, p.Second), nil
	})
	id.To(name, age)
	flox.Join2(name, age, show)
	wf, err := flox.Build(b, id, show)
	if err != nil {
		fmt.Println(err)
		return
	}
	res, err := flox.Run(context.Background(), wf, 2)
	fmt.Println(res.Output, err)
	// Output: user 2 is 42 <nil>
}

// The first answer wins; the others are called off.
func ExampleRef_Quorum() {
	b := flox.New[flox.NoState]("fastest")
	mirrors := flox.Split(b, "mirrors", func(file string) []string { return []string{"slow/" + file, "fast/" + file} })
	get := flox.Func(b, "get", func(ctx context.Context, url string) (string, error) {
		if strings.HasPrefix(url, "slow/") {
			<-ctx.Done() // ends when the other one has come
			return "", ctx.Err()
		}
		return "got " + url, nil
	})
	first := flox.Func(b, "first", func(_ context.Context, got []string) (string, error) { return got[0], nil }).Quorum(1)
	mirrors.To(get)
	get.Join(first)
	wf, err := flox.Build(b, mirrors, first)
	if err != nil {
		fmt.Println(err)
		return
	}
	res, err := flox.Run(context.Background(), wf, "go.tar")
	fmt.Println(res.Output, err)
	// Output: got fast/go.tar <nil>
}

// A workflow is a node of another; its failure has one handler.
func ExampleNest() {
	in := flox.New[flox.NoState]("shipping")
	pack := flox.Func(in, "pack", func(_ context.Context, order string) (string, error) { return order + " packed", nil })
	send := flox.Func(in, "send", func(_ context.Context, parcel string) (string, error) {
		return "", flox.Permanent(errors.New("no truck"))
	})
	pack.To(send)
	shipping, err := flox.Build(in, pack, send)
	if err != nil {
		fmt.Println(err)
		return
	}

	b := flox.New[flox.NoState]("order")
	ship := flox.Nest(b, "ship", shipping)
	refund := flox.Func(b, "refund", func(_ context.Context, f flox.Failure[string]) (string, error) {
		return fmt.Sprintf("refund %s: %s: %s", f.Input, f.Node, f.Err.Message), nil
	})
	ship.OnFailure(refund)
	order, err := flox.Build(b, ship, ship, refund)
	if err != nil {
		fmt.Println(err)
		return
	}
	res, err := flox.Run(context.Background(), order, "order 7")
	fmt.Println(res.Output, err)
	// Output: refund order 7: ship/send: no truck <nil>
}

// A nested workflow counts for itself; what it came to is added to the outer
// state when a visit has ended.
func ExampleNestWith() {
	type Words struct{ N flox.Sum }
	type Totals struct {
		Lines flox.Sum
		Most  flox.Max[int64]
	}
	in := flox.New[Words]("line")
	words := flox.Split(in, "words", strings.Fields)
	count := flox.AddFunc(in, "count", func(ctx *flox.Context[Words], _ string) (flox.Transition[flox.None], error) {
		ctx.Merge(Words{N: 1})
		return flox.Next(flox.None{}), nil
	})
	words.To(count)
	line, err := flox.Build(in, words, count)
	if err != nil {
		fmt.Println(err)
		return
	}

	b := flox.New[Totals]("text")
	lines := flox.Split(b, "lines", func(text string) []string { return strings.Split(text, "\n") })
	each := flox.NestWith(b, "line", line, func(w Words) Totals {
		return Totals{Lines: 1, Most: flox.MaxOf(int64(w.N))}
	})
	done := flox.Func(b, "done", func(context.Context, []flox.None) (flox.None, error) { return flox.None{}, nil })
	lines.To(each)
	each.Join(done)
	text, err := flox.Build(b, lines, done)
	if err != nil {
		fmt.Println(err)
		return
	}
	res, err := flox.Run(context.Background(), text, "to be or not to be\nthat is the question")
	most, _ := res.State.Most.Get()
	fmt.Println(res.State.Lines, most, err)
	// Output: 2 6 <nil>
}

// Items that arrive at a collector hold until the last has come; whoever comes
// last sees all of them.
func ExampleHold() {
	type Basket struct{ Eggs flox.Sum }
	b := flox.New[Basket]("dozen")
	hens := flox.Split(b, "hens", func(n int) []int { return make([]int, n) })
	collect := flox.AddFunc(b, "collect", func(ctx *flox.Context[Basket], _ int) (flox.Transition[string], error) {
		ctx.Merge(Basket{Eggs: 4})
		if ctx.State().Eggs < 12 {
			return flox.Hold[string](), nil
		}
		return flox.Next("a dozen"), nil
	})
	hens.To(collect)
	wf, err := flox.BuildAll(b, hens, collect)
	if err != nil {
		fmt.Println(err)
		return
	}
	res, err := flox.Run(context.Background(), wf, 3)
	fmt.Println(res.Output, err)
	// Output: [a dozen] <nil>
}

// A run survives its process: another one goes on where the first was killed.
func ExampleRunCheckpointed() {
	b := flox.New[flox.NoState]("import")
	load := flox.Func(b, "load", func(_ context.Context, file string) (string, error) { return "rows of " + file, nil })
	save := flox.Func(b, "save", func(_ context.Context, rows string) (string, error) { return rows + " saved", nil })
	load.To(save)
	wf, err := flox.Build(b, load, save)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, st := context.Background(), flox.NewMemory() // redisstore.Open in real life
	if _, err := flox.RunCheckpointed(ctx, st, "import-42", wf, "people.csv"); err != nil {
		fmt.Println(err)
	}
	res, err := flox.Resume(ctx, st, "import-42", wf) // it had ended: its result again
	fmt.Println(res.Output, err)
	// Output: rows of people.csv saved <nil>
}
