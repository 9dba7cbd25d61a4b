// Package compose tests the stack of deploy/docker-compose.yml on a real engine:
// see run.sh, which make compose-test calls. Its tests have the build tag compose.
package compose
