package examples_test

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/wasmagent/wasmagent/check"
	"github.com/wasmagent/wasmagent/providers"
	"github.com/wasmagent/wasmagent/runtime"
)

// probes are the two programs that answer the same.
var probes = []string{"probe_c", "probe_rust"}

// awkward is a JSON document with what a reader can stumble over.
const awkward = ` { "a" : [ ] , "b" : { } , "c\"}" : 1 , "d" : [ { "x" : [ 1 , 2 ] } , "]}" , [ [ ] , 3 ] ] , "e" : -1.5e3 ,
	"f" : "q\"\\\/\b\f\n\r\t\u00e9\u20AC\ud83d\ude00 \ud83d \u0041" , "g" : true , "h" : false , "i" : null , "a" : 7 , "" : "none" , "j" : "{[,:" , "k":12345678901234567890}`

var sdkLines = []line{
	// facts
	{"--part fact --name filesystems --data filesystems.0.mount_point", 0, "PROBE OK: /", ""},
	{"--part fact --name filesystems --data filesystems.0.usage.inodes.total", 0, "PROBE OK: 16777216", ""},
	{"--part fact --name nothing", 3, "/host/nothing: not granted, or not there", ""},
	{"--part fact --name awkward --data a", 0, "OK: something", ""},
	{"--part fact --name awkward --data a.0", 0, "OK: nothing", ""},
	{"--part fact --name awkward --data b.x", 0, "OK: nothing", ""},
	{"--part fact --name awkward --data d.0.x.1", 0, "OK: 2", ""},
	{"--part fact --name awkward --data d.0.x.2", 0, "OK: nothing", ""},
	{"--part fact --name awkward --data d.1", 0, "OK: ]}", ""},
	{"--part fact --name awkward --data d.2.1", 0, "OK: 3", ""},
	{"--part fact --name awkward --data d.3", 0, "OK: nothing", ""},
	{"--part fact --name awkward --data d.x", 0, "OK: nothing", ""},
	{"--part fact --name awkward --data e", 0, "OK: -1500", ""},
	{"--part fact --name awkward --data f", 0, "OK: q\"\\/\b\f  \té€😀 ", ""},
	{"--part fact --name awkward --data g", 0, "OK: true", ""},
	{"--part fact --name awkward --data h", 0, "OK: something", ""},
	{"--part fact --name awkward --data i", 0, "OK: something", ""},
	{"--part fact --name awkward --data j", 0, "OK: {[,:", ""},
	// values and memory
	{"--part env --name TOKEN", 0, "PROBE OK: a token", ""},
	{"--part env --name OTHER", 3, "/env/OTHER: not granted, or not there", ""},
	{"--part load --name x", 0, "OK: nothing", ""},
	{"--part save --name x --data one", 0, "OK: one", ""},
	{"--part load --name x", 0, "OK: one", ""},
	{"--part save --name x --data two␣words", 0, "OK: two words", ""},
	{"--part load --name x", 0, "OK: two words", ""},
	{"--part save --name ../x --data one", 3, "PROBE UNKNOWN: /", ""},
	{"--part save --name x --data␣", 3, "there is no option", ""},
	// connections
	{"--part tcp -n 127.0.0.1 -p {echo} -d hello", 0, "OK: hello", ""},
	{"--part tcp -n LOCALHOST. -p {echo} -d hello", 0, "OK: hello", ""},
	{"--part tcp -n ::ffff:127.0.0.1 -p {echo} -d hello", 0, "OK: hello", ""},
	{"--part tcp -n 0:0::1 -p 1", 3, "/dev/tcp/::1/1: not granted", ""},
	{"--part tcp -n 127.0.0.1 -p {silent} -t 0.2", 2, "PROBE CRITICAL: no answer within 0.2 seconds", ""},
	{"--part tcp -n 127.0.0.1 -p {closed}", 2, "connection refused", ""},
	{"--part tcp -n 127.0.0.1 -p {reset}", 2, "broken the connection off", ""},
	{"--part tls -n 127.0.0.1 -p {http}", 2, "no TLS connection", ""},
	{"--part tls -n localhost -p {unknown}", 2, "its certificate is not trusted", ""},
	{"--part tls -n localhost -p {tls} -d hello", 0, "OK: HTTP/1.1 400 Bad Request", ""},
	{"--part udp -n 127.0.0.1 -p {udp} -d hello", 0, "OK: HELLO", ""},
	{"--part udp -n 127.0.0.1 -p {deaf} -d hello -t 0.2", 2, "no answer within 0.2 seconds", ""},
	// the command line
	{"-h", 3, "Usage: check_probe --part PART", ""},
	{"--help", 3, " -w, --warning=RANGE\n    WARNING outside of this range\n", ""},
	{"--help", 3, " --part=PART\n    which part to use\n", ""},
	{"-qV", 3, "check_probe 1.0.0", ""},
	{"-qqw1 -v2 --part limits", 1, "PROBE WARNING", ""},
	{"--warn=1 --val 2 --part=limits", 1, "PROBE WARNING", ""},
	{"--part limits -v 1 --", 0, "PROBE OK", ""},
	{"--part limits -v 1 -- x", 3, `check_probe: unexpected "x"; see check_probe --help`, ""},
	{"--part limits x -v 1", 3, `unexpected "x"`, ""},
	{"-x", 3, "there is no option -x", ""},
	{"-qx", 3, "there is no option -x", ""},
	{"--x", 3, "there is no option --x", ""},
	{"--v", 3, "check_probe: ", ""},
	{"-w", 3, "-w lacks its ", ""},
	{"--part", 3, "--part lacks its ", ""},
	{"-v x", 3, `-v: "x"`, ""},
	{"-v inf", 3, `-v: "inf"`, ""},
	{"-w x", 3, `-w: "x"`, ""},
	{"-p 65536", 3, `-p: "65536"`, ""},
	{"-t 0", 3, `-t: "0" is no time in seconds`, ""},
}

// TestSDKs uses each part of the C header and of the Rust crate inside the agent.
func TestSDKs(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	ports := servers(t, ca)
	talkers(t, ports)
	ports["udp"] = strings.TrimPrefix(echoUDP(t), "127.0.0.1:")
	ports["deaf"] = deaf(t)
	facts := documents(t)
	facts["awkward"] = document([]byte(awkward))
	for _, name := range probes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := crafted(t, everything(t, ca), providers.Config{Facts: facts})
			suite(t, sdkLines, ports, p, func(l line) string { return name + " " + l.ask }, true)
		})
	}
}

// TestSDKsReadBadDocuments has them read what is no JSON. The crate says so; the header
// promises only to find nothing outside of the document.
func TestSDKsReadBadDocuments(t *testing.T) {
	t.Parallel()
	facts := map[string]runtime.Document{}
	for i, text := range []string{
		"", " ", "{", "[", `"`, `{"a`, `{"a"`, `{"a":`, `{"a":}`, `{"a":"`, `{"a":"\`, `{"a":"\u`, `{"a":"\ud83d\u`, `{"a":"\ud83d\u12"}`,
		`{"a":"\x"}`, `{"a":1 "b":2}`, `{"a":1}}`, `[1,]`, `{"a":[[[[`, `{"a":nul}`, `{"a":1`, "\\", `{"a":"` + strings.Repeat(`\u20ac`, 1000),
		strings.Repeat("[", 100_000), strings.Repeat(`{"a":`, 100_000),
	} {
		facts[fmt.Sprint("bad", i)] = document([]byte(text))
	}
	p := crafted(t, everything(t, newAuthority(t)), providers.Config{Facts: facts})
	for name := range facts {
		if output, status := p(t, "probe_rust --part fact --name "+name+" --data a"); status != 3 || !strings.Contains(output, "/host/"+name+": no JSON: ") {
			t.Errorf("the crate took %s: %d, %s", name, status, output)
		}
		if output, status := p(t, "probe_c --part fact --name "+name+" --data a"); status != 0 || len(output) > 300 {
			t.Errorf("the header took %s: %d, %s", name, status, output)
		}
	}
}

// TestSDKsAgreeOnRanges compares what the header and the crate make of ranges, and of
// performance data, with what package check does.
func TestSDKsAgreeOnRanges(t *testing.T) {
	t.Parallel()
	p := crafted(t, everything(t, newAuthority(t)), providers.Config{})
	for _, text := range []string{
		"10", "10:", "~:10", "10:20", "@10:20", "@10", ":10", "@~:0", "~:", "0:0", "-5:-1", "1e3", "0.1:0.30000000000000004", ".5", "5.",
		"", ":", "@", "@:", "~", "x", "1:x", "20:10", "10:~", "inf", "nan", "0x10", "1:2:3", " 1", "1e999", "--1", "@@1",
	} {
		want, err := check.ParseRange(text)
		for _, value := range []float64{-3, 0, 0.2, 10, 15, 1e3, 123456789012} {
			for _, name := range probes {
				output, status := p(t, fmt.Sprintf("%s --part limits --label a'b␣c=d --value %v --warning=%s", name, value, strings.ReplaceAll(text, " ", "␣")))
				if err != nil {
					if status != 3 || !strings.Contains(output, "is no range") {
						t.Errorf("%s takes %q: %d, %s", name, text, status, output)
					}
					continue
				}
				least := 0.0
				r := check.Result{Text: "PROBE OK: a'b c=d", Perf: []check.Perf{{Label: "a'b c=d", Value: value, Unit: "s", Warn: &want, Min: &least}}}
				if want.Alerts(value) {
					r.State, r.Text = check.StateWarning, "PROBE WARNING: a'b c=d"
				} else {
					r.State = check.StateOK
				}
				if output != check.Encode(r) || status != r.State.ExitStatus() {
					t.Errorf("%s: %v against %q: %s, want %s", name, value, text, output, check.Encode(r))
				}
			}
		}
	}
}

// deaf is a UDP port that does not answer.
func deaf(t *testing.T) (at string) {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return strings.TrimPrefix(conn.LocalAddr().String(), "127.0.0.1:")
}
