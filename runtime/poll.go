package runtime

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/tetratelabs/wazero/api"
)

// The layout of what poll_oneoff reads and writes.
// https://github.com/WebAssembly/WASI/blob/snapshot-01/phases/snapshot/docs.md#subscription
const (
	subscriptionSize = 48
	eventSize        = 32

	onClock   = 0
	onFdRead  = 1
	onFdWrite = 2

	absoluteTime = 1
)

// A subscription is one thing that a program waits for.
type subscription struct {
	userdata   [8]byte
	kind       byte
	descriptor uint32
	deadline   time.Time // of a clock
	errno      uint16    // why it cannot be waited for
	done       bool
}

// pollOneoff is poll_oneoff: it waits until one of many things has come, or the run
// has ended. wazero's own takes every descriptor but the first for ready. Sync is
// its fd_datasync, which leads to the file of a descriptor.
func pollOneoff(sync api.GoModuleFunc) api.GoModuleFunc {
	return func(ctx context.Context, instance api.Module, stack []uint64) {
		stack[0] = runOf(ctx).poll(ctx, instance, stack, sync)
	}
}

func (r *run) poll(ctx context.Context, instance api.Module, stack []uint64, sync api.GoModuleFunc) uint64 {
	in, out, count, result := uint32(stack[0]), uint32(stack[1]), uint32(stack[2]), uint32(stack[3])
	mem := instance.Memory()
	raw, ok := mem.Read(in, count*subscriptionSize)
	events, fits := mem.Read(out, count*eventSize)
	if _, writable := mem.Read(result, 4); !ok || !fits || !writable {
		return errnoFault
	}
	subscriptions, errno := parseSubscriptions(raw)
	if errno != 0 {
		return errno
	}
	ready := func(s subscription) (bool, uint16) {
		var params [1]uint64
		isReady := r.files.Ready(s.kind == onFdRead, func() {
			params[0] = uint64(s.descriptor)
			sync(ctx, instance, params[:])
		})
		return isReady, closedErrno(params[0])
	}
	n := r.await(subscriptions, ready)
	writeEvents(events, subscriptions)
	mem.WriteUint32Le(result, n)
	return 0
}

// closedErrno is what an event says of a descriptor, after what asking for it gave.
func closedErrno(errno uint64) uint16 {
	if errno == errnoBadFile {
		return errnoBadFile
	}
	return 0
}

// await returns how many subscriptions are done, at least one.
func (r *run) await(subscriptions []subscription, ready func(subscription) (bool, uint16)) uint32 {
	for {
		var first time.Time
		n := uint32(0)
		now := time.Now()
		for i := range subscriptions {
			s := &subscriptions[i]
			switch {
			case s.errno != 0:
				s.done = true
			case s.kind != onClock:
				s.done, s.errno = ready(*s)
			case !s.deadline.After(now):
				s.done = true
			case first.IsZero() || s.deadline.Before(first):
				first = s.deadline
			}
			if s.done {
				n++
			}
		}
		if n > 0 {
			return n
		}
		r.wait(first)
	}
}

// wait waits until a time, if there is one, a connection, or the end of the run.
func (r *run) wait(until time.Time) {
	var clock <-chan time.Time
	if !until.IsZero() {
		timer := time.NewTimer(time.Until(until))
		defer timer.Stop()
		clock = timer.C
	}
	select {
	case <-clock:
	case <-r.files.Woken():
	case <-r.Done():
	}
	r.alive()
}

// parseSubscriptions reads what a program waits for.
func parseSubscriptions(raw []byte) ([]subscription, uint64) {
	list := make([]subscription, len(raw)/subscriptionSize)
	if len(list) == 0 {
		return nil, errnoInvalid
	}
	for i := range list {
		record := raw[i*subscriptionSize : (i+1)*subscriptionSize]
		s := subscription{userdata: [8]byte(record), kind: record[8], descriptor: binary.LittleEndian.Uint32(record[16:])}
		switch s.kind {
		case onClock:
			s.deadline, s.errno = deadlineOf(record)
		case onFdRead, onFdWrite:
		default:
			return nil, errnoInvalid
		}
		list[i] = s
	}
	return list, 0
}

// deadlineOf reads when a clock is to wake the program. Only times from now on are
// supported.
func deadlineOf(record []byte) (time.Time, uint16) {
	if binary.LittleEndian.Uint16(record[40:])&absoluteTime != 0 {
		return time.Time{}, errnoNotSupported
	}
	wait := time.Duration(min(binary.LittleEndian.Uint64(record[24:]), uint64(1<<62)))
	return time.Now().Add(wait), 0
}

// writeEvents writes an event for each subscription that is done.
func writeEvents(out []byte, subscriptions []subscription) {
	for _, s := range subscriptions {
		if !s.done {
			continue
		}
		event := out[:eventSize]
		clear(event)
		copy(event, s.userdata[:])
		binary.LittleEndian.PutUint16(event[8:], s.errno)
		event[10] = s.kind
		if s.kind != onClock {
			binary.LittleEndian.PutUint64(event[16:], 1) // at least
		}
		out = out[eventSize:]
	}
}
