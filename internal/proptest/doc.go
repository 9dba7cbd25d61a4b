// Package proptest makes random workflows, says by a simple model what their
// runs must come to, and drives such runs through workers that crash. Everything
// a case does follows from its seed and its size, but for the interleaving.
package proptest
