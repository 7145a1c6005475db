package watch

import "time"

// await looks after events, and tells of what is news and has looked the same twice, a
// time of settle apart. It returns when events is closed.
func await(events <-chan struct{}, settle time.Duration, look func() (now sight, news bool), tell func(sight)) {
	var last sight // nil if nothing is waited for
	timer := time.NewTimer(0)
	<-timer.C
	defer timer.Stop()
	for {
		select {
		case _, open := <-events:
			if !open {
				return
			}
			if last == nil {
				last = sight{}
				timer.Reset(settle)
			}
		case <-timer.C:
			now, news := look()
			switch {
			case !news:
				last = nil
			case now.equal(last):
				last = nil
				tell(now)
			default:
				last = now
				timer.Reset(settle)
			}
		}
	}
}
