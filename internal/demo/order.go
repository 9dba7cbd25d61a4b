package demo

import (
	"github.com/floxrun/flox/pkg/flox"
)

// Order is the input of workflow "order".
type Order struct {
	ID       string `json:"id" jsonschema:"the order's number, unique"`
	Customer string `json:"customer" jsonschema:"who pays"`
	Address  string `json:"address" jsonschema:"where to ship to"`
	Lines    []Line `json:"lines" jsonschema:"what is ordered, at least one line"`
	Limit    int64  `json:"limit,omitempty" jsonschema:"most cents the customer may spend on one order (default 500000)"`
}

// Line is one article of an order.
type Line struct {
	SKU   string `json:"sku" jsonschema:"number of the article"`
	Qty   int64  `json:"qty" jsonschema:"how many, at least 1"`
	Cents int64  `json:"cents" jsonschema:"price of one in cents, at least 0"`
}

// Item is a line on its way through pricing.
type Item struct {
	No   int  `json:"no"` // place in the order, from 0
	Line Line `json:"line"`
}

// Priced is what a line costs.
type Priced struct {
	No    int   `json:"no"`
	Cents int64 `json:"cents"`
}

// Decision is what becomes of a priced order: Approved or Rejected.
type Decision interface{ VariantOf(Decision) }

// Approved is an order that may be charged.
type Approved struct {
	Order   string `json:"order"`
	Address string `json:"address"`
	Cents   int64  `json:"cents"`
}

// Rejected is an order that is turned down.
type Rejected struct {
	Order  string `json:"order"`
	Cents  int64  `json:"cents"`
	Reason string `json:"reason"`
}

// VariantOf makes Approved a Decision.
func (Approved) VariantOf(Decision) {}

// VariantOf makes Rejected a Decision.
func (Rejected) VariantOf(Decision) {}

// Charged is an order that is paid.
type Charged struct {
	Approved Approved `json:"approved"`
	Charge   string   `json:"charge"` // the payment's reference
}

// Shipped is an order that is on its way.
type Shipped struct {
	Charged  Charged `json:"charged"`
	Shipment string  `json:"shipment"`
}

// How an order ended.
const (
	StatusShipped  = "shipped"
	StatusRefunded = "refunded"
	StatusRejected = "rejected"
	StatusInvalid  = "invalid"
)

// Outcome is the output of workflow "order".
type Outcome struct {
	Order    string `json:"order"`
	Status   string `json:"status"` // shipped, refunded, rejected or invalid
	Cents    int64  `json:"cents"`  // what the order costs, zero if invalid
	Reason   string `json:"reason,omitempty"`
	Charge   string `json:"charge,omitempty"`
	Shipment string `json:"shipment,omitempty"`
	Refund   string `json:"refund,omitempty"`
}

// OrderState is what a run of "order" did.
type OrderState struct {
	Events   flox.EventLog[Event] `json:"events"`
	Lines    flox.Sum             `json:"lines"`    // lines priced
	Total    flox.Sum             `json:"total"`    // cents of the priced lines
	Charged  flox.Sum             `json:"charged"`  // cents taken
	Refunded flox.Sum             `json:"refunded"` // cents given back
}

// Event is one thing that happened to an order.
type Event struct {
	Name string `json:"name"`
	Ref  string `json:"ref,omitempty"` // line number, or the gateway's reference
}

// OrderWorkflow builds workflow "order".
func OrderWorkflow(cfg Config) (*flox.Workflow[OrderState, Order, Outcome], error) {
	cfg = cfg.withDefaults()
	payments, shipping, err := cfg.gateways()
	if err != nil {
		return nil, err
	}
	patient := flox.RetryPolicy{MaxAttempts: 12, Backoff: flox.Exponential(cfg.Backoff, 50*cfg.Backoff)}

	b := flox.New[OrderState]("order").MaxSteps(1000)
	validate := flox.AddFunc(b, "validate", validateOrder)
	invalid := flox.AddFunc(b, "invalid", invalidOrder)
	split := flox.AddFanout(b, "split", SplitLines{})
	price := flox.AddFunc(b, "price", priceLine)
	decide := flox.AddFunc(b, "decide", decideOrder)
	reject := flox.Func(b, "reject", rejectOrder)
	charge := flox.Add(b, "charge", &Charge{Payments: payments}).Retry(patient).Timeout(2 * cfg.GatewayTimeout)
	ship := flox.Add(b, "ship", &Ship{Shipping: shipping}).Retry(patient).Timeout(2 * cfg.GatewayTimeout)
	receipt := flox.AddFunc(b, "receipt", writeReceipt)
	refund := flox.Add(b, "refund", &Refund{Payments: payments}).Retry(patient).Timeout(2 * cfg.GatewayTimeout)
	flox.Variants[Decision](b, Approved{}, Rejected{})

	validate.To(split)
	validate.OnFailure(invalid)
	split.To(price)
	flox.JoinWith(split, price, decide)
	decide.Route(flox.Case(charge), flox.Case(reject))
	charge.To(ship)
	ship.To(receipt)
	ship.OnFailure(refund) // shipping failed for good: give the money back
	return flox.Build(b, validate, receipt, refund, reject, invalid)
}
