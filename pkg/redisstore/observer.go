package redisstore

import "time"

// Observer is told what a Store and its server say to each other, for metrics.
// Its methods are called from many goroutines and must not block.
type Observer interface {
	// Batch is called when the server has answered a pipeline of that many
	// commands.
	Batch(commands int, took time.Duration)
	// Failed is called when a command was not answered, or with an error that is
	// not one of flox's own answers. Kind is a word of a fixed set, such as timeout, connection or
	// loading.
	Failed(kind string)
}
