package demo

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// keyHeader carries the idempotency key of a call.
const keyHeader = "Idempotency-Key"

// gatewayCall is the body of a call.
type gatewayCall struct {
	Order   string `json:"order"`
	Cents   int64  `json:"cents,omitempty"`
	Address string `json:"address,omitempty"`
}

// gatewayReply is the answer to a call.
type gatewayReply struct {
	Ref   string `json:"ref,omitempty"`
	Error string `json:"error,omitempty"`
}

// Handler serves the gateway: POST /charge, /refund and /ship, GET /ledger and
// /healthz. A refusal is a 422, an unavailable gateway a 503.
func (g *Gateway) Handler() http.Handler {
	mux := http.NewServeMux()
	handle := func(op string, do func(context.Context, gatewayCall, string) (string, error)) {
		mux.HandleFunc("POST /"+op, func(w http.ResponseWriter, r *http.Request) { serveCall(w, r, do) })
	}
	handle(OpCharge, func(ctx context.Context, c gatewayCall, key string) (string, error) {
		return g.Charge(ctx, c.Order, c.Cents, key)
	})
	handle(OpRefund, func(ctx context.Context, c gatewayCall, key string) (string, error) {
		return g.Refund(ctx, c.Order, c.Cents, key)
	})
	handle(OpShip, func(ctx context.Context, c gatewayCall, key string) (string, error) {
		return g.Ship(ctx, c.Order, c.Address, key)
	})
	mux.HandleFunc("GET /ledger", func(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusOK, g.Ledger()) })
	mux.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	return mux
}

func serveCall(w http.ResponseWriter, r *http.Request, do func(context.Context, gatewayCall, string) (string, error)) {
	var call gatewayCall
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10)).Decode(&call); err != nil {
		reply(w, http.StatusBadRequest, gatewayReply{Error: err.Error()})
		return
	}
	ref, err := do(r.Context(), call, r.Header.Get(keyHeader))
	switch {
	case errors.Is(err, ErrRefused):
		reply(w, http.StatusUnprocessableEntity, gatewayReply{Error: err.Error()})
	case err != nil:
		reply(w, http.StatusServiceUnavailable, gatewayReply{Error: err.Error()})
	default:
		reply(w, http.StatusOK, gatewayReply{Ref: ref})
	}
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body) // an error is the client's loss of connection
}

// GatewayClient calls a gateway server.
type GatewayClient struct {
	base string
	http *http.Client
}

var (
	_ Payments = (*GatewayClient)(nil)
	_ Shipping = (*GatewayClient)(nil)
)

// NewGatewayClient calls the server at base, such as http://127.0.0.1:8090.
// Calls end with client's timeout; nil is http.DefaultClient.
func NewGatewayClient(base string, client *http.Client) (*GatewayClient, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, fmt.Errorf("gateway %q: want a URL such as http://127.0.0.1:8090", base)
	}
	return &GatewayClient{base: strings.TrimSuffix(base, "/"), http: cmp.Or(client, http.DefaultClient)}, nil
}

// Charge takes cents for an order.
func (c *GatewayClient) Charge(ctx context.Context, order string, cents int64, key string) (string, error) {
	return c.post(ctx, OpCharge, gatewayCall{Order: order, Cents: cents}, key)
}

// Refund gives cents back.
func (c *GatewayClient) Refund(ctx context.Context, order string, cents int64, key string) (string, error) {
	return c.post(ctx, OpRefund, gatewayCall{Order: order, Cents: cents}, key)
}

// Ship sends an order's goods.
func (c *GatewayClient) Ship(ctx context.Context, order, address, key string) (string, error) {
	return c.post(ctx, OpShip, gatewayCall{Order: order, Address: address}, key)
}

// Ledger asks the server for all it did.
func (c *GatewayClient) Ledger(ctx context.Context) (Ledger, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+"/ledger", nil)
	if err != nil {
		return nil, err
	}
	var all Ledger
	status, err := c.do(req, &all)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("ledger: status %d", status)
	}
	return all, err
}

func (c *GatewayClient) post(ctx context.Context, op string, call gatewayCall, key string) (string, error) {
	body, err := json.Marshal(call)
	if err != nil {
		return "", err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+"/"+op, bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(keyHeader, key)
	var r gatewayReply
	status, err := c.do(req, &r)
	switch {
	case err != nil:
		return "", fmt.Errorf("%w: %s of order %s: %w", ErrUnavailable, op, call.Order, err)
	case status == http.StatusOK && r.Ref != "":
		return r.Ref, nil
	case status == http.StatusUnprocessableEntity || status == http.StatusBadRequest:
		return "", fmt.Errorf("%w: %s", ErrRefused, strings.TrimPrefix(r.Error, ErrRefused.Error()+": "))
	default:
		return "", fmt.Errorf("%w: %s of order %s: status %d: %s", ErrUnavailable, op, call.Order, status, r.Error)
	}
}

// do sends req and decodes the JSON answer into v.
func (c *GatewayClient) do(req *http.Request, v any) (status int, err error) {
	resp, err := c.http.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(io.LimitReader(resp.Body, 64<<20)).Decode(v); err != nil {
		return 0, fmt.Errorf("answer: %w", err)
	}
	return resp.StatusCode, nil
}

// gateways returns what cfg asks for: one process, or a server's client.
func (c Config) gateways() (Payments, Shipping, error) {
	if c.GatewayURL == "" {
		g := &Gateway{}
		return g, g, nil
	}
	client, err := NewGatewayClient(c.GatewayURL, &http.Client{Timeout: c.GatewayTimeout})
	return client, client, err
}
