// Package deploy checks what deploy holds for Kubernetes and systemd. It is a module
// of its own, so that users of flox do not get the dependencies.
package deploy
