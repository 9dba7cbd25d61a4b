// Package dashboards holds flox' Grafana dashboards as Go values. The files in
// deploy/grafana/dashboards are made from them:
//
//	go test ./internal/dashboards -run TestFiles -update
//
// [Live] asks a Prometheus server what the dashboards and alerts would ask, says
// which answers do not have the shape that a panel needs, and draws them.
package dashboards
