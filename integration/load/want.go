package load

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/floxrun/flox/integration/checker"
	"github.com/floxrun/flox/pkg/flox"
)

// Run is one run to be started.
type Run struct {
	ID       string
	Workflow string
	Input    any // Mesh, Chain, Mischief or Ask
}

// Start starts the run. That it is there already, from an earlier attempt whose
// answer was lost, is no error.
func (r Run) Start(ctx context.Context, ctl *flox.Control) error {
	err := r.StartOnce(ctx, ctl)
	if errors.Is(err, flox.ErrRunExists) {
		return nil
	}
	return err
}

// StartOnce starts the run; a flox.ErrRunExists if it is there already.
func (r Run) StartOnce(ctx context.Context, ctl *flox.Control) error {
	input, err := json.Marshal(r.Input)
	if err != nil {
		return err
	}
	_, err = ctl.Start(ctx, r.Workflow, input, flox.WithID(r.ID))
	return err
}

// Want returns what the run must have come to if nothing but faults was done to
// it.
func Want(r Run) checker.Want {
	want := checker.Want{Status: "completed", Outputs: 1}
	switch in := r.Input.(type) {
	case Mesh:
		want.Committed = 2 + (2+in.Again)*in.Width
	case Chain:
		want.Committed = in.Left + 1
		if r.Workflow == GrownName {
			want.Committed = 3
		}
	case Ask:
		want.Committed = 3 // the answer is an item, too
	case Mischief:
		want.Committed = 2
		if in.Do != "" {
			want = checker.Want{Status: "failed"}
		}
	default:
		panic(fmt.Sprintf("run %s has an input of type %T", r.ID, r.Input))
	}
	return want
}
