//go:build !race

package model

const racy = false
