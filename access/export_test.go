package access

import (
	"context"
	"net/netip"
)

// Resolve has names looked up by a function.
func (h *Hosts) Resolve(lookup func(ctx context.Context, network, host string) ([]netip.Addr, error)) {
	for _, n := range h.names {
		n.lookup = lookup
	}
}

// The bounds of the queue of passwords.
const (
	MaxPeerQueue = maxPeerQueue
	WrongBurst   = wrongBurst
	WrongPace    = wrongPace
	MaxSessions  = maxSessions
)

// Peers is how many peers the queue knows.
func (u *Users) Peers() int {
	u.queue.mu.Lock()
	defer u.queue.mu.Unlock()
	return len(u.queue.peers)
}

// PutText is Put for a text.
func PutText(text string, u User) (string, error) {
	return edited(text, func(d draft) (draft, error) { return d.put(u) })
}

// RemoveText is Remove for a text.
func RemoveText(text, user string) (string, error) {
	return edited(text, func(d draft) (draft, error) { return d.remove(user) })
}

func edited(text string, change func(draft) (draft, error)) (string, error) {
	a, err := Parse("users.toml", text)
	if err != nil {
		return "", err
	}
	d, err := change(draft{Accounts: a, name: "users.toml", text: text})
	return d.text, err
}
