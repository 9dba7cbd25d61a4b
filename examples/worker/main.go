// Command worker is a flox worker with a workflow of its own.
package main

import (
	"log"

	"github.com/floxrun/flox/pkg/worker"
)

func main() {
	greet, err := Greet()
	if err != nil {
		log.Fatal(err)
	}
	worker.Main(greet)
}
