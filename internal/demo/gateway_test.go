package demo

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
)

// gatewayForTest is what both implementations offer.
type gatewayForTest interface {
	Payments
	Shipping
}

func TestGateway(t *testing.T) {
	local, remote := &Gateway{}, &Gateway{}
	server := httptest.NewServer(remote.Handler())
	t.Cleanup(server.Close)
	client, err := NewGatewayClient(server.URL+"/", server.Client())
	if err != nil {
		t.Fatal(err)
	}
	for name, g := range map[string]gatewayForTest{"local": local, "client": client} {
		t.Run(name, func(t *testing.T) { testGateway(t, g) })
	}
	ledger, err := client.Ledger(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got, want := sprint(ledger), sprint(local.Ledger()); got != want {
		t.Errorf("ledger of the server =\n%s, want that of the local gateway\n%s", got, want)
	}
}

// testGateway makes each call until it is answered, and once more.
func testGateway(t *testing.T, g gatewayForTest) {
	ctx := t.Context()
	failed := 0
	insist := func(what string, call func() (string, error)) string {
		for range 5 {
			ref, err := call()
			switch {
			case err == nil:
				return ref
			case !errors.Is(err, ErrUnavailable):
				t.Fatalf("%s: %v, want ErrUnavailable", what, err)
			}
			failed++
		}
		t.Fatalf("%s is never answered", what)
		return ""
	}
	for i := range 12 {
		order := fmt.Sprint("o", i)
		key := "ns/run" + order
		for op, call := range map[string]func() (string, error){
			OpCharge: func() (string, error) { return g.Charge(ctx, order, 100, key) },
			OpRefund: func() (string, error) { return g.Refund(ctx, order, 100, key) },
			OpShip:   func() (string, error) { return g.Ship(ctx, order, "here", key) },
		} {
			first, again := insist(op, call), insist(op, call)
			if first != again || !strings.HasPrefix(first, op+"-"+order+"-") {
				t.Errorf("%s of %s = %q, then %q: want the same reference twice", op, order, first, again)
			}
		}
	}
	if failed < 12 {
		t.Errorf("%d calls failed, want a flaky gateway", failed)
	}
}

func TestGatewayRefuses(t *testing.T) {
	remote := &Gateway{}
	server := httptest.NewServer(remote.Handler())
	t.Cleanup(server.Close)
	client, err := NewGatewayClient(server.URL, server.Client())
	if err != nil {
		t.Fatal(err)
	}
	for name, g := range map[string]gatewayForTest{"local": &Gateway{}, "client": client} {
		if _, err := g.Ship(t.Context(), "o", NowhereAddress, "k"); !errors.Is(err, ErrRefused) {
			t.Errorf("%s: Ship to nowhere fails with %v, want ErrRefused", name, err)
		}
		if _, err := g.Charge(t.Context(), "o", 1, ""); !errors.Is(err, ErrRefused) {
			t.Errorf("%s: Charge without key fails with %v, want ErrRefused", name, err)
		}
		for range 3 {
			g.Charge(t.Context(), "o", 1, "k")
		}
		if _, err := g.Charge(t.Context(), "o", 2, "k"); !errors.Is(err, ErrRefused) {
			t.Errorf("%s: another Charge under the same key fails with %v, want ErrRefused", name, err)
		}
	}
	if got := remote.Ledger(); len(got) != 1 || got[0].Cents != 1 {
		t.Errorf("ledger is %+v, want one charge of 1 cent", got)
	}
}

func TestGatewayDown(t *testing.T) {
	client, err := NewGatewayClient(deadHost, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Charge(t.Context(), "o", 1, "k"); !errors.Is(err, ErrUnavailable) {
		t.Errorf("Charge with no server fails with %v, want ErrUnavailable", err)
	}
	if _, err := NewGatewayClient("127.0.0.1:8090", nil); err == nil {
		t.Error("NewGatewayClient without a scheme succeeds, want an error")
	}
}
