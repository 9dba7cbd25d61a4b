package flox

import (
	"context"
	"maps"
	"slices"
	"time"
)

// memBeat is a worker's last sign of life.
type memBeat struct {
	info WorkerInfo
	at   time.Time
}

// workerMemory is how long a worker that was not seen is remembered.
const workerMemory = 24 * time.Hour

// Namespace implements LivenessStore.
func (m *Memory) Namespace() string { return memNamespace }

const memNamespace = "memory"

// Beat implements LivenessStore.
func (m *Memory) Beat(ctx context.Context, w WorkerInfo) error {
	if err := m.lock(ctx); err != nil {
		return err
	}
	defer m.mu.Unlock()
	m.workers[w.ID] = memBeat{w, time.Now()}
	return nil
}

// Leave implements LivenessStore.
func (m *Memory) Leave(ctx context.Context, w WorkerInfo) error {
	if err := m.lock(ctx); err != nil {
		return err
	}
	defer m.mu.Unlock()
	delete(m.workers, w.ID)
	for _, e := range m.claimedBy(w) {
		t := e.token
		m.release(t)
		m.place(t)
	}
	return nil
}

// claimedBy returns what a worker has claimed and not loaded.
func (m *Memory) claimedBy(w WorkerInfo) []*memEntry {
	var entries []*memEntry
	for _, name := range w.Queues {
		for element := m.queue(name).claimed.Front(); element != nil; element = element.Next() {
			if e := element.Value.(*memEntry); e.consumer == w.ID && e.token.owner == "" {
				entries = append(entries, e)
			}
		}
	}
	return entries
}

// Workers implements LivenessStore.
func (m *Memory) Workers(ctx context.Context) ([]WorkerInfo, error) {
	if err := m.lock(ctx); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	maps.DeleteFunc(m.workers, func(_ string, b memBeat) bool { return time.Since(b.at) > workerMemory })
	var workers []WorkerInfo
	for _, id := range slices.Sorted(maps.Keys(m.workers)) {
		w := m.workers[id].info
		w.Age = time.Since(m.workers[id].at)
		workers = append(workers, w)
	}
	return workers, nil
}

// Register implements LivenessStore.
func (m *Memory) Register(ctx context.Context, w WorkflowInfo) error {
	if err := m.lock(ctx); err != nil {
		return err
	}
	defer m.mu.Unlock()
	w.Registered = time.Now()
	m.workflows[w.Name] = w
	return nil
}

// Workflows implements LivenessStore.
func (m *Memory) Workflows(ctx context.Context) ([]WorkflowInfo, error) {
	if err := m.lock(ctx); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	var workflows []WorkflowInfo
	for _, name := range slices.Sorted(maps.Keys(m.workflows)) {
		workflows = append(workflows, m.workflows[name])
	}
	return workflows, nil
}
