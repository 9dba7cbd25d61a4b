// Package demo holds the workflows that the shipped worker runs, and what is
// needed to show and to check that they lose and repeat nothing.
//
// Workflow "linkcheck" walks a web site and reports broken links, redirects and
// slow pages: a cycle with a fan-out and a join in each turn, retries with
// back-off, and a fallback for what stays unreachable.
//
// Workflow "order" takes an order through pricing, payment and shipping: a
// fan-out over its lines, a decision, idempotent calls of a flaky gateway, and
// a refund where shipping fails for good.
//
// [Site] is a small web site with known faults and [Gateway] a payment and
// shipping service that keeps a ledger. [CheckLinkcheck] and [CheckOrders]
// compare what runs report with what the site and the ledger know.
package demo
