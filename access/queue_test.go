package access_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmagent/wasmagent/access"
)

// right is what the user amy shows.
func right(peer netip.Addr) access.Credentials {
	return access.Credentials{User: "amy", Password: "secret", Peer: peer}
}

// A flood guesses passwords, each guesser as fast as it is let and with no password
// twice. One that is throttled goes on after a second, as the error says.
type flood struct {
	wrong, throttled atomic.Int64
	stop             func()
}

func newFlood(t *testing.T, u *access.Users, peer netip.Addr, guessers int, user func(i int) string) *flood {
	ctx, cancel := context.WithCancel(t.Context())
	var f flood
	var done sync.WaitGroup
	for i := range guessers {
		done.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				_, err := u.Authenticate(ctx, access.Credentials{User: user(i), Password: fmt.Sprint(i, " ", n), Peer: peer})
				switch {
				case errors.Is(err, access.ErrThrottled):
					f.throttled.Add(1)
					time.Sleep(time.Second)
				case errors.Is(err, access.ErrWrong):
					f.wrong.Add(1)
				case ctx.Err() == nil:
					t.Errorf("a guess: %v", err)
				}
			}
		})
	}
	f.stop = func() { cancel(); done.Wait() }
	return &f
}

// onlyAmy and anybody are whom a flood guesses for.
func onlyAmy(int) string   { return "amy" }
func anybody(i int) string { return fmt.Sprint("user", i) }

func amy(t testing.TB) *access.Users {
	return access.NewUsers(parse(t, "[users.amy]\npassword = '"+cheap+"'\nroles = ['client']"))
}

func TestVerifiedPasswordOutlivesAFlood(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		u := amy(t)
		if _, err := u.Authenticate(t.Context(), right(peer)); err != nil {
			t.Fatal(err)
		}
		f := newFlood(t, u, peer, 40, onlyAmy)
		for range 10 {
			time.Sleep(time.Second)
			before := time.Now()
			if who, err := u.Authenticate(t.Context(), right(peer)); err != nil || who.User != "amy" || !time.Now().Equal(before) {
				t.Errorf("amy is %v, %v, after %v", who, err, time.Since(before))
			}
		}
		f.stop()
		if f.throttled.Load() == 0 {
			t.Error("nobody was throttled; this test shows nothing")
		}
	})
}

func TestFirstPasswordOutlivesAFlood(t *testing.T) {
	t.Parallel()
	elsewhere := netip.MustParseAddr("192.0.2.2")
	for name, row := range map[string]struct {
		from     netip.Addr
		guess    func(int) string
		attempts int // at most; 0 is any number
	}{
		"from another address":              {elsewhere, onlyAmy, 1},
		"from the same, for one other user": {peer, func(int) string { return "bob" }, 1},
		"from the same, for many others":    {peer, anybody, 0},
		"from the same, for this user":      {peer, onlyAmy, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				u := amy(t)
				f := newFlood(t, u, row.from, 40, row.guess)
				time.Sleep(10 * time.Second)
				attempts := 1
				for ; ; attempts++ {
					_, err := u.Authenticate(t.Context(), right(peer))
					if err == nil {
						break
					}
					if !errors.Is(err, access.ErrThrottled) {
						t.Fatal(err)
					}
					time.Sleep(time.Second)
				}
				if row.attempts > 0 && attempts > row.attempts {
					t.Errorf("it took %d attempts", attempts)
				}
				f.stop()
			})
		})
	}
}

// TestGuessesAreSlow holds for users who do not exist as well: what they are told
// takes as long.
func TestGuessesAreSlow(t *testing.T) {
	t.Parallel()
	for name, guess := range map[string]func(int) string{"a user": onlyAmy, "others": anybody} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFlood(t, amy(t), peer, 40, guess)
				time.Sleep(time.Minute)
				f.stop()
				if n, most := f.wrong.Load(), int64(access.WrongBurst+time.Minute/access.WrongPace+10); n > most || n < most/2 {
					t.Errorf("%d guesses in a minute, want about %d", n, most)
				}
			})
		})
	}
}

func TestPeersAreForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		u := amy(t)
		guess := func(from netip.Addr) {
			if _, err := u.Authenticate(t.Context(), access.Credentials{User: "amy", Password: "x", Peer: from}); !errors.Is(err, access.ErrWrong) {
				t.Errorf("%v: %v", from, err)
			}
		}
		for i := range 100 {
			go guess(netip.AddrFrom4([4]byte{198, 51, 100, byte(i)}))
		}
		synctest.Wait()
		if n := u.Peers(); n != 100 {
			t.Errorf("%d peers are known, want 100", n)
		}
		time.Sleep(time.Second)
		guess(peer)
		if n := u.Peers(); n != 1 {
			t.Errorf("%d peers are known, want 1", n)
		}
		time.Sleep(time.Second)
		for _, same := range []string{"2001:db8::1", "2001:db8::2", "2001:db8::ffff:1", "192.0.2.1", "::ffff:192.0.2.1"} {
			go guess(netip.MustParseAddr(same))
		}
		synctest.Wait()
		if n := u.Peers(); n != 2 {
			t.Errorf("%d peers are known, want one of IPv4 and one of IPv6", n)
		}
		time.Sleep(time.Second)
	})
}

func TestOnePlaceForOnePassword(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		u := amy(t)
		exhaust(t, u) // so that the password waits while they all come
		var done sync.WaitGroup
		for range 10 * access.MaxPeerQueue {
			done.Go(func() {
				if _, err := u.Authenticate(t.Context(), right(peer)); err != nil {
					t.Error(err)
				}
			})
		}
		done.Wait()
	})
}

func TestWaitingEndsWithTheRequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		u := amy(t)
		exhaust(t, u)
		ctx, cancel := context.WithTimeout(t.Context(), access.WrongPace/2)
		defer cancel()
		for range access.MaxPeerQueue + 1 { // which would fill the queue if they stayed
			if _, err := u.Authenticate(ctx, right(peer)); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("error %v", err)
			}
		}
		if _, err := u.Authenticate(t.Context(), right(peer)); err != nil {
			t.Error(err)
		}
	})
}

// TestNextOneVerifies ends the request that verifies a password for others too.
func TestNextOneVerifies(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		u := amy(t)
		exhaust(t, u)
		ctx, cancel := context.WithTimeout(t.Context(), access.WrongPace/2)
		defer cancel()
		first := make(chan error)
		go func() {
			_, err := u.Authenticate(ctx, right(peer))
			first <- err
		}()
		synctest.Wait()
		_, err := u.Authenticate(t.Context(), right(peer))
		if ended := <-first; err != nil || !errors.Is(ended, context.DeadlineExceeded) {
			t.Errorf("the first: %v; the next: %v", ended, err)
		}
	})
}

// exhaust has a peer guess wrong as often as it may without waiting.
func exhaust(t *testing.T, u *access.Users) {
	t.Helper()
	for i := range access.WrongBurst {
		go u.Authenticate(t.Context(), access.Credentials{User: "amy", Password: fmt.Sprint(i), Peer: peer})
	}
	synctest.Wait()
}
