//go:build race

package model

// racy says that the race detector is on: all is ten times as slow.
const racy = true
