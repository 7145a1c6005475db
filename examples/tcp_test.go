package examples_test

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/wasmagent/wasmagent/providers"
)

var tcpLines = []line{
	{"check_tcp -H 127.0.0.1 -p {banner}", 0, "TCP OK: ", ""},
	{"check_tcp --hostname=localhost --port={banner}", 0, "second response time on localhost port ", ""},
	{"check_tcp -H 127.0.0.1 -p {closed}", 2, "connection refused", ""},
	{"check_tcp -H 127.0.0.1 -p {closed} -r ok", 0, "connection refused", ""},
	{"check_tcp -H 127.0.0.1 -p {closed} -r warn", 1, "connection refused", ""},
	{"check_tcp -H 127.0.0.1 -p {closed} -r crit", 2, "connection refused", ""},
	// the time
	{"check_tcp -H 127.0.0.1 -p {banner} -w 5 -c 8", 0, ";5;8;0;9", ""},
	{"check_tcp -H 127.0.0.1 -p {banner} -w 0.0000001 -c 8", 1, "TCP WARNING", ""},
	{"check_tcp -H 127.0.0.1 -p {banner} -c 0.0000001", 2, "TCP CRITICAL", ""},
	// what is expected
	{"check_tcp -H 127.0.0.1 -p {banner} -e 220", 0, "[220 ready]", ""},
	{"check_tcp -H 127.0.0.1 -p {banner} -e ready", 0, "[220 ready]", ""},
	{"check_tcp -H 127.0.0.1 -p {banner} -e nope -e ready", 0, "", ""},
	{"check_tcp -H 127.0.0.1 -p {banner} -e 220 -e ready -A", 0, "", ""},
	{"check_tcp -H 127.0.0.1 -p {banner} -e 220 -e nope -A", 1, "unexpected response from the host: 220 ready", ""},
	{"check_tcp -H 127.0.0.1 -p {banner} -e nope -M ok -w 1", 0, "unexpected response", ""},
	{"check_tcp -H 127.0.0.1 -p {banner} -e nope -M crit", 2, "unexpected response", ""},
	{"check_tcp -H 127.0.0.1 -p {banner} -e nope -M ok -c 1", 2, "unexpected response", ""},
	{"check_tcp -H 127.0.0.1 -p {banner} -e 220 -j", 0, "port {banner}|", ""},
	{"check_tcp -H 127.0.0.1 -p {split} -e 220␣ready", 0, "[220 ready]", ""},
	{"check_tcp -H 127.0.0.1 -p {closing} -e x", 2, "no data received", ""},
	{"check_tcp -H 127.0.0.1 -p {closing} -e x -M ok", 2, "no data received", ""},
	{"check_tcp -H 127.0.0.1 -p {closing}", 0, "TCP OK", ""},
	{"check_tcp -H 127.0.0.1 -p {banner} -e 220 -d 1", 0, "[220 ready]", ""},
	{"check_tcp -H 127.0.0.1 -p {endless} -e y -m 100000", 1, "unexpected response", ""},
	{"check_tcp -H 127.0.0.1 -p {endless} -e xxxxxxxxxx", 0, "[xxx", ""},
	// what is sent
	{"check_tcp -H 127.0.0.1 -p {echo} -s hello -e hello -q bye", 0, "[hello]", ""},
	{`check_tcp -H 127.0.0.1 -p {echo} -s a\nb -e a\nb`, 0, `[a\nb]`, ""},
	{`check_tcp -H 127.0.0.1 -p {echo} -E -s one\ttwo\\ -e two\`, 0, `two\]`, ""},
	{"check_tcp -H 127.0.0.1 -p {echo} -s a|b=1 -e a|b", 0, "[a¦b=1]", ""},
	// servers that mean no good
	{"check_tcp -H 127.0.0.1 -p {silent} -e x -t 1", 2, "TCP CRITICAL: no answer within 1 seconds", ""},
	{"check_tcp -H 127.0.0.1 -p {dripping} -e 220␣ready -t 1", 2, "no answer within 1 seconds", ""},
	{"check_tcp -H 127.0.0.1 -p {endless} -e y -t 1", 2, "no answer within 1 seconds", ""},
	{"check_tcp -H 127.0.0.1 -p {banner} -d 3 -t 1", 2, "no answer within 1 seconds", ""},
	{"check_tcp -H 127.0.0.1 -p {reset} -e 222", 1, "unexpected response from the host: 22", ""},
	// TLS
	{"check_tcp -H localhost -p {tls} -S", 0, "TCP OK", ""},
	{"check_tcp -H localhost -p {tls} -S -D 30,7", 0, "TCP OK", ""},
	{"check_tcp -H localhost -p {tls} -S -D 99", 1, "the certificate expires in 99 days", ""},
	{"check_tcp -H localhost -p {tls} -S -D 200,99", 2, "the certificate expires in 99 days", ""},
	{"check_tcp -H localhost -p {today} -S -D 30,7", 2, "expires in 0 days", ""},
	{"check_tcp -H localhost -p {expired} -S -D 30,7", 2, "the certificate expired on ", ""},
	{"check_tcp -H localhost -p {banner} -S", 2, "no TLS connection", ""},
	{"check_tcp -H localhost -p {closed} -S", 2, "refused", ""},
	{"check_tcp -H localhost -p {unknown} -S", 2, "certificate is not trusted", "-"}, // which trusts everybody
	{"check_tcp -H localhost -p {early} -S -D 1", 2, "not valid yet", "-"},
	// mistakes
	{"check_tcp -H 127.0.0.1", 3, "which port?", "-"}, // which takes 0 for a port
	{"check_tcp -p {banner}", 3, "which server?", "-"},
	{"check_tcp", 3, "which server?", ""},
	{"check_tcp -h", 3, "Usage: check_tcp", ""},
	{"check_tcp -V", 3, "check_tcp 1.0.0", ""},
	{"check_tcp --nope", 3, "there is no option --nope", ""},
	{"check_tcp -H 127.0.0.1 -x", 3, "there is no option -x", ""},
	{"check_tcp -H 127.0.0.1 -p", 3, "-p lacks its argument", ""},
	{"check_tcp -H 127.0.0.1 -p x", 3, `-p: "x" is no whole number from 1 to 65535`, ""},
	{"check_tcp -H 127.0.0.1 -p 0", 3, `-p: "0" is no whole number`, ""},
	{"check_tcp -H 127.0.0.1 -p 1 -M x", 3, `-M: "x" is none of ok, warn and crit`, ""},
	{"check_tcp -H 127.0.0.1 -p 1 -t x", 3, `-t: "x" is no number`, ""},
	{"check_tcp -H 127.0.0.1 -p 1 -w x", 3, `-w: "x" is no range`, "-"},
	{"check_tcp -H 127.0.0.1 -p 1 -D x", 3, `-D: "x" is no number of days`, "-"},
	{"check_tcp -H 127.0.0.2 -p 1", 3, "/dev/tcp/127.0.0.2/1: not granted", "-"},
	{"check_tcp -H a/b -p 1", 3, `"a/b" is no host`, "-"},
}

// talkers starts servers that say something of their own accord, or nothing, and
// adds their ports.
func talkers(t *testing.T, ports map[string]string) {
	t.Helper()
	for name, talk := range map[string]func(*net.TCPConn){
		"banner": func(c *net.TCPConn) { io.WriteString(c, "220 ready\r\n"); io.Copy(io.Discard, c) },
		"split": func(c *net.TCPConn) {
			io.WriteString(c, "220 r")
			pause(t)
			io.WriteString(c, "eady")
			io.Copy(io.Discard, c)
		},
		"echo": func(c *net.TCPConn) { io.Copy(c, c) },
		"closing": func(c *net.TCPConn) {
			c.CloseWrite()
			io.Copy(io.Discard, c)
		},
		"silent": func(*net.TCPConn) { <-t.Context().Done() },
		"endless": func(c *net.TCPConn) {
			for err := error(nil); err == nil; {
				_, err = c.Write([]byte("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"))
			}
		},
		"dripping": func(c *net.TCPConn) {
			for err := error(nil); err == nil; pause(t) {
				_, err = io.WriteString(c, "2")
			}
		},
		"reset": func(c *net.TCPConn) { io.WriteString(c, "22"); pause(t); c.SetLinger(0) },
	} {
		ports[name] = talker(t, talk)
	}
}

// pause lets some time pass on the wire.
func pause(t *testing.T) {
	select {
	case <-time.After(200 * time.Millisecond):
	case <-t.Context().Done():
	}
}

func talker(t *testing.T, talk func(*net.TCPConn)) (at string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				talk(c.(*net.TCPConn))
			}()
		}
	}()
	return port(listener)
}

// TestTCP asks check_tcp, which is in C, and the Monitoring Plugins' check_tcp the same
// of the same servers.
func TestTCP(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	ports := servers(t, ca)
	talkers(t, ports)
	t.Run("group", func(t *testing.T) {
		t.Run("sandbox", func(t *testing.T) {
			t.Parallel()
			suite(t, tcpLines, ports, crafted(t, everything(t, ca), providers.Config{}), asked, true)
		})
		t.Run("monitoring-plugins", func(t *testing.T) {
			t.Parallel()
			suite(t, tcpLines, ports, monitoring(t), askedOfOthers, false)
		})
	})
}

// TestTCPAnswersInTime has a server that does not shake hands, which only the limit on
// the run ends: the check still answers.
func TestTCPAnswersInTime(t *testing.T) {
	t.Parallel()
	ports := map[string]string{}
	talkers(t, ports)
	grant := everything(t, newAuthority(t))
	grant.Limits.Time = 3 * time.Second
	p := crafted(t, grant, providers.Config{})
	for _, ask := range []string{"check_tcp -H localhost -p {silent} -S", "check_tcp -H localhost -p {silent} -D 30", "check_tcp -H localhost -p {silent} -e x"} {
		suite(t, []line{{ask, 2, "TCP CRITICAL: no answer within 2.", ""}}, ports, p, asked, true)
	}
}
