package runtime_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/wasmagent/wasmagent/policy"
	"github.com/wasmagent/wasmagent/runtime"
)

// TestGoSpeaksHTTP has Go's own client fetch from two servers at once, the first of
// which answers only when the second has been asked: a read that waits must not
// stop the guest's other goroutines.
func TestGoSpeaksHTTP(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{})
	first := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-asked:
			w.Write([]byte("first"))
		case <-r.Context().Done():
		}
	}))
	defer first.Close()
	second := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(asked)
		w.Write([]byte("second"))
	}))
	defer second.Close()
	root, err := runtime.NewRoot(runtime.RootConfig{Access: policy.Access{
		Asked:   policy.Patterns{"/dev/tcp/**"},
		Granted: policy.Grants{{Pattern: "/dev/tcp/127.0.0.1/*"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	var tried []string
	p := program(t, newEngine(t, runtime.Config{}), build(t, "network"))
	out, err := p.Run(t.Context(), runtime.Guest{
		Args: []string{"network", first.URL, second.URL}, Root: root,
		Observe: func(a runtime.Attempt) { tried = append(tried, a.Op+" "+a.Path+" "+a.Errno+a.Why) },
	})
	if got := string(out.Stdout); err != nil || got != "200 first <nil>\n200 second <nil>\n" {
		t.Errorf("answered %q, %v, tried %q, stderr %s", got, err, tried, out.Stderr)
	}
	if !strings.Contains(strings.Join(tried, "\n"), "open to write /dev/tcp/"+strings.ReplaceAll(first.Listener.Addr().String(), ":", "/")) {
		t.Errorf("tried %q", tried)
	}
}
