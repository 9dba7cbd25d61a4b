package redisstore

import "github.com/redis/go-redis/v9/logging"

// DiscardClientLog stops go-redis from writing to standard error, for the whole
// process. A program that has its process to itself calls it once, before it
// opens a store: what go-redis would say comes as errors, or to Config.Logger.
func DiscardClientLog() { logging.Disable() }
