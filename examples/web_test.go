package examples_test

import (
	"strings"
	"testing"
)

// A line is what a check is asked, {NAME} standing for the port of a server, and
// what it has to answer.
type line struct {
	ask    string
	status int
	says   string // a part of our answer
	real   string // how the Monitoring Plugins are asked where it differs; "-" where they cannot be
}

var lines = []line{
	// check_http: the status
	{"check_http -H 127.0.0.1 -p {http}", 0, "HTTP OK: HTTP/1.1 200 OK - ", ""},
	{"check_http -H localhost:{http}", 0, "HTTP OK: ", ""},
	{"check_http -I 127.0.0.1 -p {http}", 0, "HTTP OK: ", ""},
	{"check_http --hostname=127.0.0.1 --port={http} --url=/", 0, "HTTP OK: ", ""},
	{"check_http -H 127.0.0.1 -p {http} -u /204", 0, "204 No Content", ""},
	{"check_http -H 127.0.0.1 -p {http} -u /400", 1, "HTTP WARNING: HTTP/1.1 400", ""},
	{"check_http -H 127.0.0.1 -p {http} -u /401", 1, "401", ""},
	{"check_http -H 127.0.0.1 -p {http} -u /404", 1, "404 Not Found", ""},
	{"check_http -H 127.0.0.1 -p {http} -u /500", 2, "HTTP CRITICAL: HTTP/1.1 500", ""},
	{"check_http -H 127.0.0.1 -p {http} -u /503", 2, "503", ""},
	{"check_http -H 127.0.0.1 -p {http} -e 200", 0, "status line has 200", ""},
	{"check_http -H 127.0.0.1 -p {http} -e 404,500", 2, "invalid HTTP response", ""},
	{"check_http -H 127.0.0.1 -p {http} -u /404 -e 200,404", 0, "404 Not Found", ""},
	{"check_http -H 127.0.0.1 -p {http} -u /500 -e HTTP/1.1", 0, "500", ""},
	{"check_http -H 127.0.0.1 -p {http} -u /raw/ssh -e SSH", 0, "SSH-2.0", ""},
	// check_http: the time
	{"check_http -H 127.0.0.1 -p {http} -w 5 -c 10", 0, "|time=", ""},
	{"check_http -H 127.0.0.1 -p {http} -w 0.0000001", 1, "HTTP WARNING", ""},
	{"check_http -H 127.0.0.1 -p {http} -w 0.0000001 -c 10", 1, ";0.0000001;10;0", ""},
	{"check_http -H 127.0.0.1 -p {http} -w 0.0000001 -c 0.0000001", 2, "HTTP CRITICAL", ""},
	{"check_http -H 127.0.0.1 -p {http} -c @0:10", 2, "HTTP CRITICAL", ""},
	{"check_http -H 127.0.0.1 -p {http} -u /404 -c 10 -w 5", 1, "404", ""},
	{"check_http -H 127.0.0.1 -p {http} -u /never -t 1", 2, "HTTP CRITICAL: no answer within 1 seconds", ""},
	// check_http: the content
	{"check_http -H 127.0.0.1 -p {http} -s world", 0, "", ""},
	{"check_http -H 127.0.0.1 -p {http} -s World", 2, `string "World" not found`, ""},
	{"check_http -H 127.0.0.1 -p {http} -u /404 -s x", 2, "not found", ""},
	{"check_http -H 127.0.0.1 -p {http} -u /chunks -s hello␣world", 0, "", ""},
	{"check_http -H 127.0.0.1 -p {http} -r ^second", 0, "", ""},
	{"check_http -H 127.0.0.1 -p {http} -r world.second", 2, "pattern not found", ""},
	{"check_http -H 127.0.0.1 -p {http} -l -r world.second", 0, "", ""},
	{"check_http -H 127.0.0.1 -p {http} --ereg=(hello|goodbye)", 0, "", ""},
	{"check_http -H 127.0.0.1 -p {http} -r ^SECOND", 2, "pattern not found", ""},
	{"check_http -H 127.0.0.1 -p {http} -R ^SECOND", 0, "", ""},
	{"check_http -H 127.0.0.1 -p {http} -R ^SECOND --invert-regex", 2, "pattern found", ""},
	{"check_http -H 127.0.0.1 -p {http} -r third --invert-regex", 0, "", ""},
	{"check_http -H 127.0.0.1 -p {http} -d Content-Length", 0, "", ""},
	{"check_http -H 127.0.0.1 -p {http} -d Nope", 2, `header "Nope" not found`, ""},
	{"check_http -H 127.0.0.1 -p {http} -m 10", 0, "", ""},
	{"check_http -H 127.0.0.1 -p {http} -m 100000", 1, "too small", ""},
	{"check_http -H 127.0.0.1 -p {http} -m 1:5", 1, "too large", ""},
	{"check_http -H 127.0.0.1 -p {http} -m 1:5 -s nope", 2, "too large", ""},
	// check_http: the request
	{"check_http -H 127.0.0.1 -p {http} -j HEAD", 0, "", ""},
	{"check_http -H 127.0.0.1 -p {http} -u /echo -j PUT -s PUT", 0, "", ""},
	{"check_http -H 127.0.0.1 -p {http} -u /echo -P a=b -r ^POST.*a=b.*urlencoded", 0, "", ""},
	{"check_http -H 127.0.0.1 -p {http} -u /echo -P {} -T application/json -s application/json", 0, "", ""},
	{"check_http -I 127.0.0.1 -H example.com -p {http} -u /echo -s example.com:{http}", 0, "", ""},
	{"check_http -H 127.0.0.1 -p {http} -u /echo -A me -s by␣me", 0, "", ""},
	{"check_http -H 127.0.0.1 -p {http} -u /echo -a u:p -s Basic␣dTpw", 0, "", ""},
	{"check_http -H 127.0.0.1 -p {http} -u /echo -k X-Test:␣yes -s yes", 0, "", ""},
	// check_http: redirects
	{"check_http -H 127.0.0.1 -p {http} -u /home", 0, "302 Found", ""},
	{"check_http -H 127.0.0.1 -p {http} -u /home -f ok", 0, "302 Found", ""},
	{"check_http -H 127.0.0.1 -p {http} -u /home -f warning", 1, "302 Found", ""},
	{"check_http -H 127.0.0.1 -p {http} -u /home -f critical", 2, "302 Found", ""},
	{"check_http -H 127.0.0.1 -p {http} -u /home -f follow -s world", 0, "200 OK", ""},
	{"check_http -H 127.0.0.1 -p {http} -u /home -f sticky -s world", 0, "200 OK", ""},
	{"check_http -H 127.0.0.1 -p {http} -u /home -f stickyport -s world", 0, "200 OK", ""},
	{"check_http -I 127.0.0.1 -H example.com -p {http} -u /home -f sticky -s world", 0, "200 OK", ""},
	{"check_http -H 127.0.0.1 -p {http} -u /status/old -f follow -s queues", 0, "200 OK", "-"}, // which mistakes ".."
	{"check_http -H 127.0.0.1 -p {http} -u /404 -f follow", 1, "404", ""},
	{"check_http -H 127.0.0.1 -p {http} -u /loop -f follow", 2, "infinite loop", ""},
	{"check_http -H 127.0.0.1 -p {http} -u /ping -f follow", 1, "maximum redirection depth", ""},
	{"check_http -H 127.0.0.1 -p {http} -u /ping -f follow --max-redirs 3", 1, "maximum redirection depth", ""},
	{"check_http -H 127.0.0.1 -p {http} -u /raw/nowhere -f follow", 3, "could not find redirect location", ""},
	{"check_http -H 127.0.0.1 -p {http} -u /ftp -f follow", 3, "redirect to ftp://127.0.0.1/", "-"}, // which asks for the same by HTTP
	// check_http: what is no answer
	{"check_http -H 127.0.0.1 -p {closed}", 2, "refused", ""},
	{"check_http -H 127.0.0.1 -p {http} -u /raw/nothing", 2, "no data received", ""},
	{"check_http -H 127.0.0.1 -p {http} -u /raw/ssh", 2, "invalid HTTP response received: SSH-2.0-x", ""},
	{"check_http -H 127.0.0.1 -p {http} -u /raw/http2", 2, "invalid HTTP response", ""},
	{"check_http -H 127.0.0.1 -p {http} -u /raw/99", 2, "invalid HTTP response", ""},
	{"check_http -H 127.0.0.1 -p {tls}", 1, "400 Bad Request", ""},
	{"check_http -H 127.0.0.1 -p {http} -u /raw/short", 2, "ended after 3 of 100 bytes", "-"}, // which takes what it gets
	{"check_http -H 127.0.0.1 -p {http} -u /raw/header", 2, "malformed", "-"},
	{"check_http -H 127.0.0.1 -p {http} -u /endless", 2, "more than 8388608 bytes", "-"},
	// check_http: by TLS, where the Monitoring Plugins trust everybody
	{"check_http -S -H localhost -p {tls} -s world", 0, "HTTP OK", ""},
	{"check_http --ssl=1.2+ -H 127.0.0.1 -p {tls}", 0, "HTTP OK", ""},
	{"check_http -S --sni -H localhost -p {tls} -u /404", 1, "404", ""},
	{"check_http -S -H localhost -p {tls} -u /home -f follow -s world", 0, "200 OK", ""},
	{"check_http -S -H localhost -p {closed}", 2, "refused", ""},
	{"check_http -S -H localhost -p {http}", 2, "HTTP CRITICAL", ""},
	{"check_http -S -H localhost -p {expired}", 2, "HTTP CRITICAL", "-"},
	{"check_http -S -H localhost -p {other}", 2, "HTTP CRITICAL", "-"},
	{"check_http -S -H localhost -p {unknown}", 2, "HTTP CRITICAL", "-"},
	// check_http: the certificate
	{"check_http -H localhost -p {tls} -C 30", 0, `certificate "localhost" expires in 99 days`, ""},
	{"check_http -H localhost -p {tls} -C 98,50", 0, "in 99 days", ""},
	{"check_http -H localhost -p {tls} -C 99,50", 1, "in 99 days", ""},
	{"check_http -H localhost -p {tls} -C 100,99", 2, "in 99 days", ""},
	{"check_http -H localhost -p {soon} -C 30", 1, "in 10 days", ""},
	{"check_http -H localhost -p {soon} -C 10", 1, "in 10 days", ""},
	{"check_http -H localhost -p {soon} -C 9", 0, "in 10 days", ""},
	{"check_http -H localhost -p {soon} -C 30,14", 2, "in 10 days", ""},
	{"check_http -H localhost -p {today} -C 30", 2, "within a day", ""},
	{"check_http -H localhost -p {expired} -C 30", 2, "expired on", ""},
	{"check_http -H localhost -p {other} -C 30", 0, `certificate "other.example"`, ""},
	{"check_http -H localhost -p {unknown} -C 30", 0, "in 99 days", ""},
	{"check_http -H localhost -p {closed} -C 30", 2, "refused", ""},
	{"check_http -H localhost -p {http} -C 30", 2, "HTTP CRITICAL", ""},
	{"check_http -H localhost -p {tls} -C 30 --continue-after-certificate -s world", 0, "200 OK", ""},
	{"check_http -H localhost -p {tls} -C 30 --continue-after-certificate -s nope", 2, "in 99 days", ""},
	// check_http: mistakes
	{"check_http", 3, "which server?", ""},
	{"check_http -h", 3, "Usage: check_http", ""},
	{"check_http -V", 3, "check_http 1.0.0", ""},
	{"check_http --nope", 3, "there is no option --nope", ""},
	{"check_http -H 127.0.0.1 -p x", 3, `-p: "x" is no port`, ""},
	{"check_http -H 127.0.0.1 -r (", 3, "missing closing )", ""},
	{"check_http -H 127.0.0.1 -f x", 3, `-f: "x" is none of`, ""},
	{"check_http -H 127.0.0.1 -C x", 3, `-C: "x" is no number of days`, ""},
	{"check_http -H 127.0.0.1 -m x", 3, `-m: "x" is no size`, "-"},
	{"check_http -S1.2 -H 127.0.0.1", 3, `"1.2" cannot be asked for`, "-"},
	{"check_http -S -I 127.0.0.1 -H localhost", 3, "leave -I out", "-"},
	{"check_http -H 127.0.0.1 -u http://example.com/", 3, "want a path", "-"},
	{"check_http -H 127.0.0.1 -k nonsense", 3, "no line of a header", "-"},

	// check_cert: the days, which check_tcp and check_http look at too
	{"check_cert -H localhost -p {tls}", 0, `CERT OK: certificate "localhost" expires in 99 days`, "check_http -H localhost -p {tls} -C 30,7"},
	{"check_cert -H localhost -p {tls} -w 99 -c 98", 1, "|days=99;100:;99:", "check_tcp -H localhost -p {tls} -S -D 99,98"},
	{"check_cert -H localhost -p {tls} -w 200 -c 99", 2, "in 99 days", "check_tcp -H localhost -p {tls} -S -D 200,99"},
	{"check_cert -H localhost -p {soon}", 1, "in 10 days", "check_http -H localhost -p {soon} -C 30,7"},
	{"check_cert -H localhost -p {soon} -c 10", 2, "in 10 days", "check_http -H localhost -p {soon} -C 30,10"},
	{"check_cert -H localhost -p {today}", 2, "within a day", "check_http -H localhost -p {today} -C 30,7"},
	{"check_cert -H localhost -p {expired}", 2, "expired on", "check_http -H localhost -p {expired} -C 30,7"},
	{"check_cert -H localhost -p {expired} --no-verify", 2, "expired on", "check_tcp -H localhost -p {expired} -S -D 30,7"},
	{"check_cert -H localhost -p {other} --no-verify", 0, "in 99 days", "check_http -H localhost -p {other} -C 30,7"},
	{"check_cert -H localhost -p {unknown} --no-verify", 0, "in 99 days", "check_tcp -H localhost -p {unknown} -S -D 30,7"},
	{"check_cert -H localhost -p {closed}", 2, "refused", "check_http -H localhost -p {closed} -C 30"},
	{"check_cert -H localhost -p {http}", 2, "CERT CRITICAL", "check_http -H localhost -p {http} -C 30"},
	// check_cert: what the others do not look at
	{"check_cert -H 127.0.0.1 -p {tls}", 0, "TLS 1.3, issued by CN=Test authority", "-"},
	{"check_cert -H localhost -p {tls} -w 5000 -c 4000", 2, "in 99 days", "-"},
	{"check_cert -H localhost -p {other}", 2, "not trusted: ", "-"},
	{"check_cert -H localhost -p {unknown}", 2, "not trusted: ", "-"},
	{"check_cert -H localhost -p {early}", 2, "not valid before", "-"},
	{"check_cert -H localhost -p {expired}", 2, "not trusted: ", "-"},
	{"check_cert", 3, "which server?", "check_http -C 1"},
	{"check_cert -H localhost -w x", 3, `-w: "x" is no number of days`, "check_http -H localhost -C x"},

	// check_json
	{"check_json -H 127.0.0.1 -p {http} -u /status --path .queues[0].length -w 20", 0, "JSON OK: .queues[0].length is 12|.queues[0].length=12;20", "-"},
	{"check_json -H 127.0.0.1 -p {http} -u /status --path .queues[0].length -w 10", 1, "JSON WARNING", "-"},
	{"check_json -H 127.0.0.1 -p {http} -u /status --path .queues[-1].length -w 2 -c ~:2", 2, "is 3", "-"},
	{"check_json -H 127.0.0.1 -p {http} -u /status --path .queues[0].length -c 13:", 2, "JSON CRITICAL", "-"},
	{`check_json -H 127.0.0.1 -p {http} -u /status --path ["a.b"]["c␣d"] -c ~:0 --unit c`, 0, "=-1c;;~:0", "-"},
	{"check_json -H 127.0.0.1 -p {http} -u /status --path .load -w 1", 0, ".load is 0.5|.load=0.5;1", "-"},
	{"check_json -H 127.0.0.1 -p {http} -u /status --path .up -c 1:", 0, ".up is true|.up=1;;1:", "-"},
	{"check_json -H 127.0.0.1 -p {http} -u /status --path .up -s true", 0, "is true", "-"},
	{"check_json -H 127.0.0.1 -p {http} -u /status --path .up -s false", 2, "is true, not false", "-"},
	{"check_json -H 127.0.0.1 -p {http} -u /status --path .queues[1].name -s b␣c", 0, "", "-"},
	{"check_json -H 127.0.0.1 -p {http} -u /status --path .queues[1].name -c 5", 2, "no number", "-"},
	{"check_json -H 127.0.0.1 -p {http} -u /status --path .queues[1] -s x", 2, `is {"length":3,"name":"b c"}, not x`, "-"},
	{"check_json -H 127.0.0.1 -p {http} -u /status --path .none -s null", 0, ".none is null", "-"},
	{"check_json -H 127.0.0.1 -p {http} -u /status --path .", 0, "", "-"},
	{"check_json -H 127.0.0.1 -p {http} -u /status --path .queues[2].length", 2, "the answer has no .queues[2]; .queues is a list of 2", "-"},
	{"check_json -H 127.0.0.1 -p {http} -u /status --path .up.x", 2, "the answer has no .up.x; .up is true or false", "-"},
	{"check_json -H 127.0.0.1 -p {http} -u /status --path .queues.length", 2, ".queues is a list of 2", "-"},
	{"check_json -H 127.0.0.1 -p {http} -u /status --path [0]", 2, "the answer has no [0]; . is an object of 5 members", "-"},
	{"check_json -H 127.0.0.1 -p {http} --path .up", 2, "the answer is not JSON", "check_http -H 127.0.0.1 -p {http} -s queues"},
	{"check_json -H 127.0.0.1 -p {http} -u /twice --path .up", 2, "there is more after its end", "-"},
	{"check_json -H 127.0.0.1 -p {http} -u /deep --path .up", 2, "the answer is not JSON", "-"},
	{"check_json -H 127.0.0.1 -p {http} -u /404 --path .up", 1, "404 Not Found", "check_http -H 127.0.0.1 -p {http} -u /404"},
	{"check_json -H 127.0.0.1 -p {http} -u /500 --path .up", 2, "500", "check_http -H 127.0.0.1 -p {http} -u /500"},
	{"check_json -H 127.0.0.1 -p {http} -u /home --path .up", 2, "302", "-"},
	{"check_json -H 127.0.0.1 -p {closed} --path .up", 2, "refused", "check_http -H 127.0.0.1 -p {closed}"},
	{"check_json -H 127.0.0.1 -p {http} -u /never --path .up -t 1", 2, "no answer within 1 seconds", "-"},
	{"check_json -S -H localhost -p {tls} -u /status --path .up -s true", 0, "is true", "check_http -S -H localhost -p {tls} -u /status -s true"},
	{"check_json -S -H localhost -p {unknown} -u /status --path .up", 2, "JSON CRITICAL", "-"},
	{"check_json -H 127.0.0.1", 3, "which value? give --path", "-"},
	{"check_json --path .a", 3, "which server?", "-"},
	{"check_json -H a --path a", 3, `"a" is no step`, "-"},
	{"check_json -H a --path .a[x]", 3, `"[x]" is no step`, "-"},
	{"check_json -H a --path .a -u x", 3, "want a path such as /status", "-"},
}

// suite asks a plugin every line that it can be asked, and wants the status.
func suite(t *testing.T, lines []line, ports map[string]string, p plugin, ask func(line) string, ours bool) {
	t.Helper()
	var pairs []string
	for name, number := range ports {
		pairs = append(pairs, "{"+name+"}", number)
	}
	fill := strings.NewReplacer(pairs...)
	for _, l := range lines {
		text := fill.Replace(ask(l))
		if text == "-" {
			continue
		}
		output, status := p(t, text)
		if status != l.status || ours && !strings.Contains(output, fill.Replace(l.says)) {
			t.Errorf("%s: status %d, want %d\n%s, want %q", ask(l), status, l.status, output, l.says)
		}
	}
}

func asked(l line) string { return l.ask }

func askedOfOthers(l line) string {
	if l.real == "" {
		return l.ask
	}
	return l.real
}

// TestWebChecks asks the checks as they are built for this machine, the same as
// programs of the sandbox, and the Monitoring Plugins the same of the same servers.
func TestWebChecks(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("compiles large programs")
	}
	ca := newAuthority(t)
	ports := servers(t, ca)
	t.Run("group", func(t *testing.T) {
		t.Run("native", func(t *testing.T) {
			t.Parallel()
			suite(t, lines, ports, native(t, ca.file(t)), asked, true)
		})
		t.Run("monitoring-plugins", func(t *testing.T) {
			t.Parallel()
			suite(t, lines, ports, monitoring(t), askedOfOthers, false)
		})
		t.Run("sandbox", func(t *testing.T) {
			t.Parallel()
			suite(t, lines, ports, sandbox(t, ca, t.TempDir(), "/dev/tcp/127.0.0.1/*", "/dev/tcp/localhost/*", "/dev/tls/127.0.0.1/**", "/dev/tls/localhost/**"), asked, true)
		})
	})
}

// TestNotGranted wants a check to say which path it lacks, and not to blame the
// server.
func TestNotGranted(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("compiles large programs")
	}
	ca := newAuthority(t)
	web := serve(t, nil)
	ours := sandbox(t, ca, t.TempDir(), "/dev/tcp/127.0.0.1/"+web, "/dev/tcp/*/7", "/dev/tls/127.0.0.1/8")
	for ask, says := range map[string]string{
		"check_http -H 127.0.0.1 -p {http} -s hello":                                     "HTTP OK",
		"check_http -H 127.0.0.2 -p {http}":                                              "/dev/tcp/127.0.0.2/{http}: not granted",
		"check_http -H 127.0.0.1 -p 80":                                                  "/dev/tcp/127.0.0.1/80: not granted",
		"check_http -S -H 127.0.0.1 -p {http}":                                           "/dev/tls/127.0.0.1/{http}: not granted",
		"check_http -H 127.0.0.1 -p 8 -C 1":                                              "/dev/tls/127.0.0.1/8/peer: not granted",
		"check_cert -H 127.0.0.1 -p 8":                                                   "/dev/tls/127.0.0.1/8/peer: not granted",
		"check_json -H EXAMPLE.com -p {http} --path .a":                                  "/dev/tcp/example.com/{http}: not granted",
		"check_http -H 127.0.0.1 -p 7":                                                   "/dev/tcp/127.0.0.1/7: refused; wasmagent run --trace says why",
		"check_http -H 127.0.0.1 -p {http} -u /away -f follow":                           "/dev/tcp/127.0.0.2/80: not granted",
		"check_http -H 127.0.0.1 -p {http} -u /away -f stickyport -s hello":              "HTTP OK",
		"check_http -I 127.0.0.1 -H elsewhere.example -p {http} -u /home -f sticky -s h": "HTTP OK",
	} {
		fill := strings.NewReplacer("{http}", web)
		output, status := ours(t, fill.Replace(ask))
		if !strings.Contains(output, fill.Replace(says)) || status != 0 && status != 3 || (status == 0) != (says == "HTTP OK") {
			t.Errorf("%s: %d, %s, want %q", ask, status, output, says)
		}
	}
}
