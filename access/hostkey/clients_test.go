package hostkey_test

import (
	"crypto/tls"
	"log/slog"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasmagent/wasmagent/access/hostkey"
)

func TestMutualTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	authority, stranger := newPair(t, nil, time.Hour), newPair(t, nil, time.Hour)
	file := filepath.Join(dir, "ca.pem")
	write(t, file, authority.chain)
	server := mutual(t, dir, file)
	for name, row := range map[string]struct {
		shows *pair
		want  string
	}{
		"signed":             {newPair(t, authority, time.Hour), ""},
		"nothing":            {nil, "client didn't provide a certificate"},
		"another authority":  {newPair(t, stranger, time.Hour), "unknown authority"},
		"signed by a client": {newPair(t, newPair(t, authority, time.Hour), time.Hour), "unknown authority"},
		"expired":            {newPair(t, authority, -time.Second), "expired"},
	} {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			t.Run(name+" "+tls.VersionName(version), func(t *testing.T) {
				t.Parallel()
				client := &tls.Config{InsecureSkipVerify: true, MaxVersion: version}
				if row.shows != nil {
					client.Certificates = []tls.Certificate{row.shows.tls(t)}
				}
				_, err := handshake(t, server, client)
				wantError(t, err, row.want)
			})
		}
	}
}

// mutual is the configuration of a server that wants certificates.
func mutual(t *testing.T, dir, file string) *tls.Config {
	t.Helper()
	clients, err := hostkey.OpenClients(file, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	source, err := hostkey.Host(dir+"/tls", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return hostkey.Server(source, clients)
}

// TestOldSessionOfAnotherAuthority takes a session up again whose certificate
// nobody vouches for any more.
func TestOldSessionOfAnotherAuthority(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		old, new := newPair(t, nil, time.Hour), newPair(t, nil, time.Hour)
		file := filepath.Join(dir, "ca.pem")
		write(t, file, old.chain)
		server := mutual(t, dir, file)
		client := &tls.Config{InsecureSkipVerify: true, ServerName: "x", ClientSessionCache: tls.NewLRUClientSessionCache(1), Certificates: []tls.Certificate{newPair(t, old, time.Hour).tls(t)}}
		_, err := handshake(t, server, client)
		wantError(t, err, "")
		state, err := handshake(t, server, client)
		if wantError(t, err, ""); !state.DidResume {
			t.Error("no session was taken up again; this test shows nothing")
		}
		replace(t, file, new.chain)
		time.Sleep(2 * time.Second)
		_, err = handshake(t, server, client)
		wantError(t, err, "unknown authority")
		replace(t, file, []byte("junk"))
		time.Sleep(2 * time.Second)
		client.Certificates = []tls.Certificate{newPair(t, new, time.Hour).tls(t)}
		client.ClientSessionCache = nil
		_, err = handshake(t, server, client)
		wantError(t, err, "")
	})
}

func TestOpenClientsRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir+"/key", newPair(t, nil, time.Hour).pem)
	for name, want := range map[string]string{"key": "holds no certificate", "none": "none", "": "no regular file"} {
		_, err := hostkey.OpenClients(filepath.Join(dir, name), slog.New(slog.DiscardHandler))
		wantError(t, err, want)
	}
}
